// The sandbox's interface: JSON in, JSON out, refusals as ApiError.

const ROOT = "/sandbox/api/";

/** The sandbox refused, or could not be reached (`status` 0). */
export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/**
 * GET *path*; arguments that are null or undefined are left out.
 * With `any` an error status is an answer too, and the status comes with it as `status`.
 */
export async function get(path, query = {}, { signal, any = false } = {}) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined) parameters.set(name, value);
  }
  const suffix = parameters.size > 0 ? `?${parameters}` : "";
  return answer(() => fetch(ROOT + path + suffix, { signal, cache: "no-store" }), any);
}

/** POST *body* as JSON to *path*. */
export async function post(path, body = {}, { signal } = {}) {
  return answer(() => fetch(ROOT + path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal,
  }));
}

/** The address of a file the bot or a person uploaded. */
export function fileUrl(id) {
  return `${ROOT}slack/files/${encodeURIComponent(id)}`;
}

/** A file as base64 text, for the interface. */
export async function base64(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const parts = [];
  // In slices, because a call takes only so many arguments.
  for (let start = 0; start < bytes.length; start += 0x8000) {
    parts.push(String.fromCharCode(...bytes.subarray(start, start + 0x8000)));
  }
  return btoa(parts.join(""));
}

async function answer(request, any = false) {
  let response;
  try {
    response = await request();
  } catch (problem) {
    if (problem.name === "AbortError") throw problem;
    throw new ApiError(0, "The sandbox does not answer. Is it still running?");
  }
  const text = await response.text();
  let value = {};
  try {
    value = text ? JSON.parse(text) : {};
  } catch {
    throw new ApiError(response.status, `The sandbox answered ${response.status} without JSON.`);
  }
  if (!response.ok && !any) {
    throw new ApiError(response.status, value.error ?? `The sandbox answered ${response.status}.`);
  }
  return any ? { ...value, status: response.status } : value;
}
