// A piece of a participant page: markup made and escaped by the server, with the few things that need a browser.

const shown = new WeakMap();

function fillForms(root, words) {
  // Minutes east of UTC; getTimezoneOffset counts westwards.
  for (const field of root.querySelectorAll("[name=utc_offset]")) field.value = -new Date().getTimezoneOffset();
  for (const box of root.querySelectorAll("input[type=checkbox][required]")) {
    // The browser's own message is in the browser's language, which need not be the study's.
    const explain = () => box.setCustomValidity(box.checked ? "" : words.tick);
    box.addEventListener("change", explain);
    explain();
  }
}

function enableCopy(root, words) {
  for (const button of root.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", async () => {
      const source = root.querySelector(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(source.textContent);
        button.textContent = words.copied;
      } catch {
        getSelection().selectAllChildren(source); // no clipboard without TLS: leave it selected
      }
    });
  }
}

function forget(session) {
  try {
    const prefix = `facenorm:${session}:`;
    for (const name of Object.keys(localStorage)) if (name.startsWith(prefix)) localStorage.removeItem(name);
  } catch {
    // A browser that refuses localStorage has kept nothing.
  }
}

export default function ({ data, parentElement: root }) {
  document.documentElement.lang = data.lang;
  if (data.title) document.title = data.title;
  if (shown.get(root) === data.html) return undefined;
  shown.set(root, data.html);
  const holder = root.querySelector(".fn-page") ?? root.appendChild(document.createElement("div"));
  holder.className = "fn-page";
  holder.lang = data.lang;
  holder.innerHTML = data.html;
  fillForms(holder, data.words);
  enableCopy(holder, data.words);
  if (data.forget) forget(data.forget);
  return undefined;
}
