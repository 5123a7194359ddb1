// What the fields of a view hold while a person fills them in.

import { initialValue } from "./elements.js";

/**
 * The values of a view's fields by block and element. A field that an updated view still has,
 * under the same block_id and action_id, keeps what was typed, as in Slack.
 */
export class Inputs {
  #values = new Map();

  get(block, element) {
    return this.#values.get(keyOf(block, element));
  }

  set(block, element, value) {
    this.#values.set(keyOf(block, element), value);
  }

  /** `{action_id: value}` of the input blocks among *blocks*; null for a field that was emptied. */
  values(blocks) {
    const found = {};
    for (const block of blocks) {
      const element = block.type === "input" ? block.element : null;
      if (!element) continue;
      const typed = this.get(block, element);
      const value = typed === undefined ? initialValue(element) : typed;
      if (!isEmpty(value)) found[element.action_id] = value;
      else if (typed !== undefined) found[element.action_id] = null;
    }
    return found;
  }

  /** `{block_id: text}` for required fields left empty, as Slack itself says before it submits. */
  missing(blocks) {
    const values = this.values(blocks);
    const wrong = {};
    for (const block of blocks) {
      if (block.type === "input" && !block.optional && isEmpty(values[block.element.action_id])) {
        wrong[block.block_id] = "Please complete this required field.";
      }
    }
    return wrong;
  }
}

function isEmpty(value) {
  return value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0);
}

function keyOf(block, element) {
  return `${block.block_id ?? ""} ${element.action_id}`;
}
