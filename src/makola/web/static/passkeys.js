// Passkeys: a form with data-passkey asks the browser for one, puts its answer into the form, and sends it.

const supported = Boolean(window.PublicKeyCredential && navigator.credentials);

function toBytes(text) {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function toText(buffer) {
  const binary = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function withBytes(list) {
  return (list ?? []).map((each) => ({ ...each, id: toBytes(each.id) }));
}

async function options(form) {
  const answer = await fetch(form.dataset.options, { method: "POST", body: new URLSearchParams(new FormData(form)) });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.detail);
  return body;
}

async function register(form) {
  const given = await options(form);
  const made = await navigator.credentials.create({ publicKey: {
    ...given, challenge: toBytes(given.challenge), user: { ...given.user, id: toBytes(given.user.id) },
    excludeCredentials: withBytes(given.excludeCredentials),
  } });
  return {
    id: made.id, rawId: toText(made.rawId), type: made.type, userHandle: given.user.id,
    response: {
      clientDataJSON: toText(made.response.clientDataJSON),
      attestationObject: toText(made.response.attestationObject),
      transports: made.response.getTransports?.() ?? [],
    },
  };
}

async function signIn(form) {
  const given = await options(form);
  const shown = await navigator.credentials.get({ publicKey: {
    ...given, challenge: toBytes(given.challenge), allowCredentials: withBytes(given.allowCredentials),
  } });
  const { response } = shown;
  return {
    id: shown.id, rawId: toText(shown.rawId), type: shown.type,
    response: {
      clientDataJSON: toText(response.clientDataJSON), authenticatorData: toText(response.authenticatorData),
      signature: toText(response.signature), userHandle: response.userHandle ? toText(response.userHandle) : null,
    },
  };
}

function words(error) {
  if (error.name === "NotAllowedError") return "No passkey was used. Try again, or sign in another way.";
  if (error.name === "InvalidStateError") return "This device has a passkey for you already.";
  return error.message || "This did not work. Try again.";
}

for (const form of supported ? document.querySelectorAll("form[data-passkey]") : []) {
  const problem = form.querySelector("[data-problem]");
  const button = form.querySelector("button");
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem.textContent = "";
    button.disabled = true;
    try {
      const answer = await (form.dataset.passkey === "register" ? register(form) : signIn(form));
      form.elements.answer.value = JSON.stringify(answer);
      form.submit();
    } catch (error) {
      problem.textContent = words(error);
      button.disabled = false;
    }
  });
}
