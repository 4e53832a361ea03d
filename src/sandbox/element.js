'use strict';
// Creates an element. Texts become text nodes, so no text from outside is read as markup. An attribute that is a function
// listens to the event of its name.
function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  const given = (value) => value !== null && value !== undefined && value !== false;
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value === 'function') element.addEventListener(name, value);
    else if (given(value)) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter(given));
  return element;
}
