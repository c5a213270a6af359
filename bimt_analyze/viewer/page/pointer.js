// What a mouse, a pen or fingers do to the picture: drag, pinch, select, open, zoom.
function pointer(net, state, act, picture, turns) {
  const { canvas } = picture, tip = document.getElementById("tip"), down = new Map(); // of fingers: where each is
  let drag = null;
  const at = event => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const on = (event, done, options) => canvas.addEventListener(event, done, options);
  const between = () => {
    const [[x0, y0], [x1, y1]] = [...down.values()];
    return { x: (x0 + x1) / 2, y: (y0 + y1) / 2, apart: Math.max(1, Math.hypot(x1 - x0, y1 - y0)) };
  };
  on("pointerdown", event => {
    const [x, y] = at(event);
    down.set(event.pointerId, [x, y]);
    drag = { x, y, far: down.size > 1 ? Infinity : 0 };
    state.touched = true;
    canvas.setPointerCapture(event.pointerId);
  });
  on("pointermove", event => {
    const [x, y] = at(event), held = down.has(event.pointerId);
    if (held && down.size === 2) {
      const before = between();
      down.set(event.pointerId, [x, y]);
      const now = between();
      picture.zoom(now.apart / before.apart, before.x, before.y);
      picture.pan(now.x - before.x, now.y - before.y);
    } else if (held && down.size === 1) {
      down.set(event.pointerId, [x, y]);
      const [dx, dy] = [x - drag.x, y - drag.y];
      drag = { x, y, far: drag.far + Math.abs(dx) + Math.abs(dy) };
      (turns() !== event.shiftKey ? picture.turn : picture.pan)(dx, dy);
    }
    const thing = down.size ? null : picture.under(x, y);
    tip.hidden = !thing;
    if (thing) {
      const { name, note } = about.modules[thing.module] ?? { name: about.labels[thing.neuron], note: "" };
      tip.textContent = `${name} ${note}`;
      tip.style.translate = `${Math.min(x + 14, canvas.clientWidth - tip.offsetWidth - 6)}px ${y - 30}px`;
    }
  });
  const lifted = (event, chosen) => {
    if (!down.delete(event.pointerId)) return;
    const [left] = down.values();
    if (left) drag = { x: left[0], y: left[1], far: Infinity }; // the finger that stays goes on, and selects nothing
    else if (chosen && drag.far < 4) act.select(picture.under(...at(event)));
  };
  on("pointerup", event => lifted(event, true));
  on("pointercancel", event => lifted(event, false));
  on("pointerleave", () => { tip.hidden = true; });
  on("dblclick", event => {
    const thing = picture.under(...at(event));
    if (thing?.module !== undefined) act.open(thing.module, true);
    else if (thing) act.open(net.module[thing.neuron], false);
  });
  on("wheel", event => {
    event.preventDefault();
    state.touched = true;
    picture.zoom(Math.exp(-event.deltaY * 0.0015), ...at(event));
  }, { passive: false });
}
