import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const css = readFileSync("src/styles/tokens.css", "utf8");

function theme(selector: string): Record<string, string> {
  const block = css.split(`${selector} {`)[1]?.split("\n}")[0] ?? "";
  const found: Record<string, string> = {};
  for (const [, name, value] of block.matchAll(/--([\w-]+):\s*([^;]+);/g)) found[name ?? ""] = value ?? "";
  return found;
}

const light = theme(":root");
const THEMES = { light, dark: { ...light, ...theme(".dark") } };

function resolve(tokens: Record<string, string>, name: string): string {
  const value = tokens[name] ?? "";
  const inner = /^var\(--([\w-]+)\)$/.exec(value)?.[1];
  return inner ? resolve(tokens, inner) : value;
}

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [dark = 0, bright = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (bright + 0.05) / (dark + 0.05);
}

const STATUSES = ["queued", "running", "paused", "completed", "failed", "cancelled", "stuck"];
const FEEDS = ["planned", "training", "metrics", "error", "control", "file"];
const TEXT = 4.5;
const GRAPHIC = 3;

const PAIRS: [string, string, number][] = [
  ...["page", "card"].flatMap((under): [string, string, number][] => [
    ["text", under, TEXT],
    ["text-2", under, TEXT],
    ["text-3", under, TEXT],
    ["pass", under, TEXT],
    ["warn", under, TEXT],
    ["fail", under, TEXT],
    ["control-border", under, under === "card" ? 2.9 : GRAPHIC],
    ["focus", under, GRAPHIC],
    ...STATUSES.map((status): [string, string, number] => [`st-${status}`, under, GRAPHIC]),
  ]),
  ["on-primary", "primary", TEXT],
  ["on-danger", "danger", TEXT],
  ...STATUSES.map((status): [string, string, number] => [`st-${status}-text`, `st-${status}-soft`, TEXT]),
  ...FEEDS.map((feed): [string, string, number] => [`feed-${feed}`, `feed-${feed}-soft`, TEXT]),
  ["feed-backup-text", "feed-backup-soft", TEXT],
  ["heat-ink", "heat-4", TEXT],
];

describe.each(Object.entries(THEMES))("the %s theme", (_, tokens) => {
  it.each(PAIRS)("%s reads on %s", (over, under, least) => {
    expect(contrast(resolve(tokens, over), resolve(tokens, under))).toBeGreaterThanOrEqual(least);
  });
});
