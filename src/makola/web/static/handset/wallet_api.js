// The virtual wallets' control over HTTP.

async function request(method, path, body) {
  const options = { method, headers: { Accept: "application/json" } };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const response = await fetch(`/sandbox/handsets/${path}`, options);
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw Object.assign(new Error(answer.detail || `The server answered ${response.status}.`), { code: answer.error || "unknown" });
  return answer;
}

const wallet = (number) => `${encodeURIComponent(number)}/wallet`;
const prompt = (number, id) => `${encodeURIComponent(number)}/prompts/${id}`;

export const change = (number, values) => request("PATCH", wallet(number), values);
export const topUp = (number, amount) => request("POST", `${wallet(number)}/top-ups`, { amount });
export const approve = (number, id, pin) => request("POST", prompt(number, id), { pin });
export const decline = (number, id) => request("DELETE", prompt(number, id));
