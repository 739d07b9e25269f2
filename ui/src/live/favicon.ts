/** A favicon that tells progress by its ring and state by the shape inside. */

import type { Status } from "@/api/types";

const SIZE = 64;
const REST = "/favicon.svg";

const SHAPES: Record<Status | "stuck", (pen: CanvasRenderingContext2D) => void> = {
  queued: (pen) => line(pen, [32, 22, 32, 33, 40, 38]),
  running: (pen) => {
    pen.beginPath();
    pen.arc(32, 32, 8, 0, 2 * Math.PI);
    pen.fill();
  },
  paused: (pen) => {
    line(pen, [26, 22, 26, 42]);
    line(pen, [38, 22, 38, 42]);
  },
  completed: (pen) => line(pen, [21, 33, 29, 41, 43, 24]),
  failed: (pen) => {
    line(pen, [24, 24, 40, 40]);
    line(pen, [40, 24, 24, 40]);
  },
  cancelled: (pen) => line(pen, [22, 42, 42, 22]),
  stuck: (pen) => line(pen, [32, 20, 45, 42, 19, 42, 32, 20]),
};

function line(pen: CanvasRenderingContext2D, [x = 0, y = 0, ...rest]: number[]): void {
  pen.beginPath();
  pen.moveTo(x, y);
  for (let at = 0; at < rest.length; at += 2) pen.lineTo(rest[at] ?? 0, rest[at + 1] ?? 0);
  pen.stroke();
}

const colour = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Draw `percent` (−1: unknown) as a ring around the status's shape. */
export function drawFavicon(status: Status, percent: number, stuck: boolean): void {
  const canvas = document.createElement("canvas");
  canvas.width = SIZE;
  canvas.height = SIZE;
  const pen = canvas.getContext?.("2d");
  if (!pen) return;
  const shape = stuck && status === "running" ? "stuck" : status;
  pen.strokeStyle = colour("--track");
  pen.fillStyle = colour(`--st-${shape}`);
  pen.lineWidth = 9;
  pen.lineCap = "round";
  pen.lineJoin = "round";
  ring(pen, 1);
  pen.strokeStyle = colour(`--st-${shape}`);
  ring(pen, status === "completed" ? 1 : Math.max(0, percent) / 100);
  pen.lineWidth = 7;
  SHAPES[shape](pen);
  point(canvas.toDataURL("image/png"), "image/png");
}

export const restFavicon = (): void => point(REST, "image/svg+xml");

function ring(pen: CanvasRenderingContext2D, share: number): void {
  pen.beginPath();
  pen.arc(32, 32, 26, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * share);
  if (share > 0) pen.stroke();
}

function point(href: string, type: string): void {
  const link = document.querySelector<HTMLLinkElement>("link[rel=icon]");
  if (!link) return;
  link.type = type;
  link.href = href;
}
