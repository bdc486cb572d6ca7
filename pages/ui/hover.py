"""The face beside the pointer: shows the picture of the point that is hovered or tapped."""

from __future__ import annotations

import streamlit as st

CSS = """
.facenorm-hover {
  position: fixed; z-index: 1000; display: none; pointer-events: none; width: 132px; padding: 6px;
  border-radius: 8px; font: 13px/1.35 var(--st-font, sans-serif); white-space: pre-line;
  color: var(--st-text-color, CanvasText); background: var(--st-background-color, Canvas);
  border: 1px solid var(--st-border-color, #8888); box-shadow: 0 4px 18px #0005;
}
.facenorm-hover img { display: block; width: 120px; height: 120px; object-fit: cover; border-radius: 4px;
  margin-bottom: 4px; }
"""

HTML = '<div class="facenorm-hover" role="status"><img alt=""><span></span></div>'

# The chart is Streamlit's own; this element only listens to it. A chart that Streamlit draws
# anew gets a new `on`, so comparing it tells whether we still listen.
JS = """
const heard = new WeakMap();

export default function ({ data, parentElement }) {
  const scope = document.querySelector(".st-key-" + data.scope);
  const box = parentElement.querySelector(".facenorm-hover");
  if (!scope || !box) return;

  const hide = () => { box.style.display = "none"; };
  const show = ({ points, event }) => {
    const [picture, words] = points[0].customdata || [];
    if (!picture) return;
    const image = box.querySelector("img");
    if (image.getAttribute("src") !== picture) image.src = picture;
    box.querySelector("span").textContent = words;
    box.style.display = "block";
    const { offsetWidth: w, offsetHeight: h } = box;
    const right = event.clientX + 16 + w < innerWidth;
    box.style.left = Math.max(4, right ? event.clientX + 16 : event.clientX - 16 - w) + "px";
    box.style.top = Math.max(4, Math.min(event.clientY - h / 2, innerHeight - h - 4)) + "px";
  };
  const listen = () => {
    for (const chart of scope.querySelectorAll(".js-plotly-plot")) {
      if (!chart.on || heard.get(chart) === chart.on) continue;
      heard.set(chart, chart.on);
      chart.on("plotly_hover", show);
      chart.on("plotly_unhover", hide);
    }
  };

  listen();
  scope.addEventListener("pointerover", listen);
  addEventListener("scroll", hide, true);
  return () => {
    scope.removeEventListener("pointerover", listen);
    removeEventListener("scroll", hide, true);
  };
}
"""

_element = st.components.v2.component("facenorm_hover", html=HTML, css=CSS, js=JS, isolate_styles=False)


def faces(scope: str) -> None:
    """Show faces for the charts in `st.container(key=scope)`, whose points carry (picture, words)."""
    _element(key=f"hover-{scope}", data={"scope": scope}, height="content")
