// What stands above a message's text: a picture, a document, or a line.

import { h, icon, ICONS } from "../dom.js";

/** Draw `{type, text or id or link, filename?}`, or nothing for null. */
export function media(piece) {
  if (!piece) return null;
  if (piece.type === "text") return h("strong", { class: "bubble-header" }, piece.text);
  const address = piece.id ? `/sandbox/api/whatsapp/media/${encodeURIComponent(piece.id)}` : piece.link ?? "";
  const place = URL.canParse(address, location.href) ? new URL(address, location.href) : null;
  const own = place?.origin === location.origin;
  const name = piece.filename ?? place?.pathname.split("/").pop() ?? piece.type;
  if (own && (piece.type === "image" || piece.type === "sticker")) {
    const image = h("img", { class: "bubble-image", src: place.href, alt: piece.type, loading: "lazy" });
    image.addEventListener("error", () => image.replaceWith(placeholder(piece.type, name)));
    return image;
  }
  if (own) return h("a", { class: "bubble-file", href: place.href, target: "_blank", rel: "noopener" }, icon(ICONS.file), name);
  return placeholder(piece.type, name, address);
}

/** Media elsewhere is named, not fetched: the page loads nothing from outside. */
function placeholder(type, name, address = "") {
  return h("div", { class: `bubble-elsewhere ${type}`, title: address }, h("span", {}, { image: "🖼️", video: "🎬", audio: "🎧", document: "📄" }[type] ?? "📎"), h("small", {}, name));
}
