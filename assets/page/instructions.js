// Examples of this study's widgets, drawn by the widgets themselves, and the first pictures fetched ahead.

const drawn = new WeakMap();

export default function ({ data, parentElement: root }) {
  const content = JSON.stringify(data);
  if (drawn.get(root) === content) return undefined;
  drawn.set(root, content);
  // The browser keeps them: after Start the first face need not travel.
  for (const src of data.pictures) new Image().src = src;
  const holder = root.querySelector(".fn-examples") ?? root.appendChild(node("div", { class: "fn-examples" }));
  holder.replaceChildren(...data.examples.map((example) => card(example, data)));
  return undefined;
}

/** A picture of a widget with an answer in it, and how it is used. */
function card({ affect_grid, specs, values, how }, { words, surround, dark }) {
  const still = { words, takes: () => false };
  const { scales, roots } = panel({ affect_grid }, specs, still);
  scales.forEach((scale, index) => {
    scale.value = values[index];
    scale.paint();
  });
  const picture = node("div", { class: "fn-picture", "aria-hidden": "true", inert: "" }, ...roots);
  picture.classList.toggle("fn-dark", dark);
  picture.style.setProperty("--fn-surround", surround);
  const said = node("p", { class: "fn-how" });
  said.innerHTML = how; // made and escaped by the server
  return node("div", {}, picture, said);
}
