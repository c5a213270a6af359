// A worker that draws all edges and neurons into a bitmap. A pixel shows the strongest edge that passes it: edges come
// strongest first, and a fainter one never covers a stronger one. So a million of them need no blending, and a picture
// that stops early is the picture of the strongest.
"use strict";
const net = {};
let told = 0;

onmessage = event => {
  if (event.data.net) Object.assign(net, event.data.net);
  else draw(event.data, ++told);
};

const breathe = () => new Promise(done => { const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => { port1.close(); done(); }; port2.postMessage(0); });

async function draw(view, id) {
  const at = place(view), image = new ImageData(view.width, view.height);
  const pixels = new Uint32Array(image.data.buffer), { source, target, weight, level } = net;
  const many = Math.max(1, view.shown), floor = Math.min(0.3, Math.max(0.04, 4 / Math.sqrt(many)));
  const top = net.heaviest || 1; // of few edges the weakest can still be seen, of many they are a haze
  const thick = (many < 400 ? 3.2 : many < 5000 ? 2.2 : 1.4) * view.dense;
  const began = performance.now();
  let drawn = 0, next = began + 12;
  for (let edge = 0; edge < view.shown; edge++) {
    if ((edge & 1023) === 0 && performance.now() > next) {
      if (view.hurried) break;
      await breathe();
      if (id !== told) return;
      next = performance.now() + 24;
    }
    const a = source[edge], b = target[edge];
    const closedA = view.closed[a], closedB = view.closed[b];
    if (closedA && closedB) continue;
    const strength = Math.sqrt(Math.abs(weight[edge]) / top);
    const ink = Math.round(255 * (floor + (0.92 - floor) * strength));
    const colour = weight[edge] < 0 ? view.below : view.above, width = Math.max(view.dense * 0.7, thick * strength);
    const x0 = at[2 * a], y0 = at[2 * a + 1], x1 = at[2 * b], y1 = at[2 * b + 1];
    drawn++;
    const draws = closedA || closedB || Math.abs(level[a] - level[b]) === 1 ? line : bend;
    draws(pixels, view, x0, y0, x1, y1, width, ink, colour);
  }
  dots(pixels, view, at);
  const bitmap = await createImageBitmap(image);
  if (id === told) postMessage({ bitmap, number: view.number, drawn, whole: !view.hurried,
    milliseconds: performance.now() - began }, [bitmap]);
}

// Where each neuron stands in the bitmap; one of a closed module stands where its module does.
function place(view) {
  const { x, y, z, module } = net, at = new Float32Array(2 * x.length);
  const [ux, uy, vx, vy, vz, scale, left, top] = view.projection;
  for (let i = 0; i < x.length; i++) {
    const m = 3 * module[i], closed = view.closed[i];
    const a = closed ? view.centres[m] : x[i], b = closed ? view.centres[m + 1] : y[i];
    const c = closed ? view.centres[m + 2] : z[i];
    at[2 * i] = left + scale * (ux * a + uy * b);
    at[2 * i + 1] = top + scale * (vx * a + vy * b + vz * c);
  }
  return at;
}

// An edge that skips a layer, runs back or stays inside one is a curve beside the straight line.
function bend(pixels, view, x0, y0, x1, y1, width, ink, colour) {
  const side = x1 >= x0 ? 1 : -1;
  const mx = (x0 + x1) / 2 + side * 0.16 * (y1 - y0), my = (y0 + y1) / 2 - side * 0.3 * (x1 - x0);
  let px = x0, py = y0;
  for (let step = 1; step <= 10; step++) {
    const t = step / 10, s = 1 - t;
    const qx = s * s * x0 + 2 * s * t * mx + t * t * x1, qy = s * s * y0 + 2 * s * t * my + t * t * y1;
    line(pixels, view, px, py, qx, qy, width, ink, colour);
    px = qx; py = qy;
  }
}

// A line with soft sides: along its longer axis, each step inks the pixels across by how far they lie from it.
function line(pixels, view, x0, y0, x1, y1, width, ink, colour) {
  const steep = Math.abs(y1 - y0) > Math.abs(x1 - x0), across = steep ? 1 : view.width, along = steep ? view.width : 1;
  let a0 = steep ? y0 : x0, b0 = steep ? x0 : y0, a1 = steep ? y1 : x1, b1 = steep ? x1 : y1;
  if (a0 > a1) [a0, a1, b0, b1] = [a1, a0, b1, b0];
  const slope = a1 > a0 ? (b1 - b0) / (a1 - a0) : 0, most = steep ? view.width : view.height;
  let from = Math.max(0, Math.ceil(a0)), to = Math.min((steep ? view.height : view.width) - 1, Math.floor(a1));
  const reach = (width * Math.hypot(1, slope) + 1) / 2, low = reach + 1, high = most - reach - 2;
  if (slope) { // what leaves the bitmap sideways is left out beforehand
    const enters = a0 + ((slope > 0 ? low : high) - b0) / slope, leaves = a0 + ((slope > 0 ? high : low) - b0) / slope;
    from = Math.max(from, Math.ceil(enters)); to = Math.min(to, Math.floor(leaves));
  } else if (b0 < low || b0 > high) return;
  let b = b0 + slope * (from - a0), row = from * along;
  for (let a = from; a <= to; a++, b += slope, row += along) {
    const last = Math.floor(b + reach);
    for (let c = Math.ceil(b - reach); c <= last; c++) {
      const cover = reach - Math.abs(c - b), strength = cover >= 1 ? ink : (ink * cover) | 0;
      const pixel = row + c * across;
      if (strength > pixels[pixel] >>> 24) pixels[pixel] = (strength << 24) | colour;
    }
  }
}

// Neurons above all edges: full where their module is open, faint where it is closed.
function dots(pixels, view, at) {
  const { module, x, y, z } = net, [ux, uy, vx, vy, vz, scale, left, top] = view.projection;
  for (let i = 0; i < x.length; i++) {
    const faint = view.closed[i], radius = view.radius * (faint ? 0.75 : 1);
    const cx = faint ? left + scale * (ux * x[i] + uy * y[i]) : at[2 * i];
    const cy = faint ? top + scale * (vx * x[i] + vy * y[i] + vz * z[i]) : at[2 * i + 1];
    const own = view.colours[i], rimmed = !faint && radius > view.rimmed;
    const rim = rimmed ? view.rim : own, outer = radius + (rimmed ? view.dense * 0.8 : 0);
    const x0 = Math.max(0, Math.floor(cx - outer)), x1 = Math.min(view.width - 1, Math.ceil(cx + outer));
    const y0 = Math.max(0, Math.floor(cy - outer)), y1 = Math.min(view.height - 1, Math.ceil(cy + outer));
    for (let py = y0; py <= y1; py++) for (let px = x0; px <= x1; px++) {
      const away = Math.hypot(px - cx, py - cy), cover = Math.min(1, outer + 0.5 - away);
      if (cover <= 0) continue;
      const pixel = py * view.width + px, ink = Math.round(255 * cover * (faint ? 0.22 : 1));
      if (ink > pixels[pixel] >>> 24 || !faint) {
        if (!faint && cover < 0.5 && pixels[pixel] >>> 24) continue;
        pixels[pixel] = (ink << 24) | (away > radius ? rim : own);
      }
    }
  }
}
