"""The page on which HYPE flashes its images: it runs in the browser, because the kernel cannot keep time.

It stands in a frame of its own (so that its keys are not the notebook's) and talks to the kernel through two hidden
widgets beside it: what the kernel says is text in an HTML widget, what the page says is typed into a Text widget.
All images come in one sheet, which is decoded before the first flash; a flash draws from memory onto a canvas in one
animation frame and is covered in another, and the time between the two frames is what the page reports.
"""

from __future__ import annotations

import html

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><style>
body{margin:0;font:15px system-ui,sans-serif;background:#767676;color:#fff;text-align:center;user-select:none}
canvas{width:280px;height:280px;margin:14px auto 8px;display:block;background:#767676}
button{font:inherit;padding:.4em 1.1em;margin:0 .4em;border:1px solid #333;border-radius:4px;background:#f2f2f2;color:#111}
button:focus-visible{outline:3px solid #000}button[hidden]{display:none}p{min-height:1.4em;margin:.3em}
</style></head><body><canvas width="280" height="280" role="img" aria-label="the image that is judged"></canvas>
<p id="say" role="status" aria-live="polite">connecting to the kernel</p>
<div><button id="go" hidden>begin</button><button id="generated" hidden>generated (G)</button><button id="real" hidden>real (R)</button>
<button id="stop" hidden>stop</button></div>
<script>
"use strict";
const box = frameElement.closest(".course-hype"), ear = box.querySelector(".course-hype-ear");
const mouth = () => box.querySelector(".course-hype-mouth input");
const $ = id => document.getElementById(id), canvas = document.querySelector("canvas"), pen = canvas.getContext("2d");
let sent = 0, sheet = null, trial = null, open = null, frameMs = 1000 / 60, beganAt = 0;
pen.imageSmoothingQuality = "high";  // hard pixels would make a puzzle of both kinds

function tell(message) {
  const input = mouth();
  input.value = JSON.stringify({...message, sent: ++sent});
  input.dispatchEvent(new Event("change", {bubbles: true}));
}
function show(...ids) { for (const id of ["go", "generated", "real", "stop"]) $(id).hidden = !ids.includes(id); }
function say(text) { $("say").textContent = text; }
function clear() { pen.fillStyle = "#767676"; pen.fillRect(0, 0, 280, 280); }
function draw(cell) {
  const {columns, width, height} = sheet.layout;
  pen.drawImage(sheet.picture, cell % columns * width, Math.floor(cell / columns) * height, width, height, 0, 0, 280, 280);
}
function cross() { clear(); pen.fillStyle = "#fff"; pen.fillRect(132, 139, 16, 2); pen.fillRect(139, 132, 2, 16); }
const frame = () => new Promise(requestAnimationFrame);
async function until(end) { let now = await frame(); while (now < end) now = await frame(); return now; }

async function measureFrame() {
  let before = await frame(); const gaps = [];
  for (let i = 0; i < 30; i++) { const now = await frame(); gaps.push(now - before); before = now; }
  return gaps.sort((a, b) => a - b)[15];
}
async function load(message) {
  say("loading the images");
  const picture = new Image();
  picture.src = message.sheet;
  await picture.decode();
  sheet = {picture: await createImageBitmap(picture), layout: message};
  tell({kind: "loaded"});
}
async function run(message) {
  trial = message; open = null;
  show("stop"); say(`${message.trial + 1} of ${message.of}`);
  cross();
  await until(await frame() + message.cross_ms);
  if (trial !== message) return;
  const from = await frame(); draw(message.cell);
  let shown = null;
  if (message.ms !== null) {
    const to = await until(from + message.ms - frameMs / 2);
    draw(message.masks[0]);
    shown = to - from;
    for (const mask of message.masks.slice(1)) { await until(await frame() + 60); draw(mask); }
    await until(await frame() + 60);
    clear();
  }
  if (trial !== message) return;
  open = {trial: message.trial, shown_ms: shown}; beganAt = performance.now();
  show("generated", "real", "stop"); say(`${message.trial + 1} of ${message.of}: real or generated?`);
  $("go").blur(); window.focus();
}
function answer(says) {
  if (!open) return;
  const done = open; open = null;
  show("stop"); clear();
  tell({kind: "answer", ...done, says, reaction_ms: performance.now() - beganAt});
}
function hear() {
  let message;
  try { message = JSON.parse(ear.textContent); } catch { return; }
  if (message.sheet) load(message);
  else if (message.ms !== undefined) run(message);
  else { trial = open = null; clear(); say(message.say); show("go"); }
}
$("go").onclick = () => { show("stop"); say("drawing the images"); tell({kind: "begin"}); };
$("stop").onclick = () => { trial = open = null; tell({kind: "stop"}); };
$("generated").onclick = () => answer("generated");
$("real").onclick = () => answer("real");
document.onkeydown = event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key.toLowerCase();
  if (key === "g") answer("generated"); else if (key === "r") answer("real");
};
clear();
measureFrame().then(found => {
  frameMs = found;
  new MutationObserver(hear).observe(ear, {childList: true, subtree: true, characterData: true});
  tell({kind: "ready", frame_ms: found});
});
</script></body></html>"""


def framed(height: int = 400, width: int = 520) -> str:
    """The page as a frame, for an HTML widget."""
    return (
        f'<iframe title="HYPE: real or generated?" style="border:0;width:{width}px;max-width:100%;height:{height}px" '
        f'srcdoc="{html.escape(PAGE, quote=True)}"></iframe>'
    )
