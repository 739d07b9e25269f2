import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const css = readFileSync("src/styles/tokens.css", "utf8");
const themes = {
  light: css.split(":root {")[1]?.split("\n}")[0] ?? "",
  dark: css.split(".dark {")[1]?.split("\n}")[0] ?? "",
};

/** The hue of a token in degrees, and how far it is from grey, from 0 to 1. */
function hueOf(theme: string, name: string): { hue: number; chroma: number } {
  const hex = new RegExp(`--${name}: (#[0-9a-f]{6});`).exec(theme)?.[1] ?? "#000000";
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255);
  const [most, least] = [Math.max(r, g, b), Math.min(r, g, b)];
  const chroma = most - least;
  const sixth =
    chroma === 0
      ? 0
      : most === r
        ? (g - b) / chroma
        : most === g
          ? 2 + (b - r) / chroma
          : 4 + (r - g) / chroma;
  return { hue: (sixth * 60 + 360) % 360, chroma };
}

const isBlue = (hue: number) => hue > 200 && hue < 250;
const isGreen = (hue: number) => hue > 100 && hue < 180;
const isRed = (hue: number) => hue > 340 || hue < 15;
const isYellow = (hue: number) => hue > 30 && hue < 60;
const isOrange = (hue: number) => hue > 15 && hue < 45;
const isPurple = (hue: number) => hue > 250 && hue < 290;

// rows: S3.77 S3.78 S3.79 S3.80 S3.81
test.each(Object.entries(themes))("the statuses have the hues that one expects of them, %s", (_, theme) => {
  expect(hueOf(theme, "st-queued").chroma).toBeLessThan(0.2);
  expect(isBlue(hueOf(theme, "st-running").hue)).toBe(true);
  expect(isGreen(hueOf(theme, "st-completed").hue)).toBe(true);
  expect(isRed(hueOf(theme, "st-failed").hue)).toBe(true);
  expect(isYellow(hueOf(theme, "st-cancelled").hue)).toBe(true);
});

// rows: S3.83
test.each(Object.entries(themes))("each type of the feed has its own hue, %s", (_, theme) => {
  expect(isPurple(hueOf(theme, "feed-planned").hue)).toBe(true);
  expect(isBlue(hueOf(theme, "feed-training").hue)).toBe(true);
  expect(isGreen(hueOf(theme, "feed-metrics").hue)).toBe(true);
  expect(isRed(hueOf(theme, "feed-error").hue)).toBe(true);
  expect(isOrange(hueOf(theme, "feed-backup").hue)).toBe(true);
});
