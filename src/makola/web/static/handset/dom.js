// Building the page. Text is only ever set as text: what a message says can never become markup.

import { icon } from "../copy.js";

export { icon };

/**
 * Make an element.
 * @param {string} tag its name, with classes after dots: "button.plain"
 * @param {object} [props] attributes; `on` holds listeners, `text` the text; false and null leave one out
 * @param {...(Node|string|null)} children
 */
export function h(tag, props = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(props)) {
    if (key === "on") {
      for (const [type, listener] of Object.entries(value)) element.addEventListener(type, listener);
    } else if (key === "text") {
      element.textContent = value;
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(key, value === true ? "" : value);
    }
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Set the text of an element, leaving it alone when it is the same: screen readers hear changes only. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Make the children of `container` show `items`, keeping the elements of items that stay.
 * @param {Element} container
 * @param {Array} items
 * @param {(item: object) => string} keyOf
 * @param {(item: object) => Element} create
 * @param {(element: Element, item: object) => void} [update] called for new and kept elements
 */
export function keyed(container, items, keyOf, create, update = () => {}) {
  const before = new Map([...container.children].map((child) => [child.dataset.key, child]));
  const wanted = new Set(items.map((item) => String(keyOf(item))));
  for (const [key, element] of before) if (!wanted.has(key)) element.remove();
  let place = container.firstElementChild;
  for (const item of items) {
    const key = String(keyOf(item));
    let element = before.get(key);
    if (!element) {
      element = create(item);
      element.dataset.key = key;
    }
    update(element, item);
    if (element === place) place = place.nextElementSibling;
    else container.insertBefore(element, place);
  }
}

/** Call `work` once before the next picture, however often it is asked for; in a hidden tab, soon. */
export function coalesced(work) {
  let asked = false;
  const run = () => { asked = false; work(); };
  return () => {
    if (asked) return;
    asked = true;
    if (document.hidden) setTimeout(run, 100); else requestAnimationFrame(run);
  };
}
