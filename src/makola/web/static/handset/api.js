// The virtual operator's control over HTTP.

export class RefusedError extends Error {
  constructor(status, answer) {
    super(answer.detail || `The server answered ${status}.`);
    this.code = answer.error || "unknown";
    this.field = answer.field || "";
  }
}

async function request(method, path, body) {
  const options = { method, headers: { Accept: "application/json" } };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(`/sandbox${path}`, options);
  } catch {
    throw new RefusedError(0, { error: "unreachable", detail: "The server does not answer." });
  }
  if (response.status === 204) return null;
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new RefusedError(response.status, answer);
  return answer;
}

const handset = (number) => `/handsets/${encodeURIComponent(number)}`;

export const listHandsets = async () => (await request("GET", "/handsets")).handsets;
export const createHandset = (values) => request("POST", "/handsets", values);
export const changeHandset = (number, values) => request("PATCH", handset(number), values);
export const deleteHandset = (number) => request("DELETE", handset(number));
export const listMessages = async (number) => (await request("GET", `${handset(number)}/messages?limit=200`)).messages;
export const sendMessage = (number, to, content) => request("POST", `${handset(number)}/messages`, { to, content });
export const clearMessages = (number) => request("DELETE", `${handset(number)}/messages`);
/** Dial `{input}`, or answer a session `{session, input}`; the answer is the screen: session, text, open, masked. */
export const ussd = (number, body) => request("POST", `${handset(number)}/ussd`, body);
export const cancelUssd = (number) => request("DELETE", `${handset(number)}/ussd`);
export const getOperator = () => request("GET", "/operator");
export const changeOperator = (values) => request("PATCH", "/operator", values);
