// Puts a button into every block of code that copies it.

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

async function write(text, block) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Clipboards are closed to pages that are not served over https or from this machine: select it instead.
    getSelection().selectAllChildren(block);
    return false;
  }
}

/** Add a copy button to a `.code` element; `read` returns what is copied (its text, when left out). */
export function makeCopyable(element, read) {
  if (element.querySelector(".copy")) return;
  const block = element.querySelector("pre");
  block.tabIndex = 0;
  const label = document.createElement("span");
  label.textContent = "Copy";
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.append(icon("copy"), label);
  label.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    const copied = await write(read ? read() : block.textContent, block);
    label.textContent = copied ? "Copied" : "Press Ctrl+C";
    setTimeout(() => { label.textContent = "Copy"; }, 1800);
  });
  element.append(button);
}

for (const element of document.querySelectorAll(".code")) makeCopyable(element);
