/**
 * Round to `digits` decimals as Python's `round` does: by the exact value, ties to even.
 *
 * `toFixed` also looks at the exact value but takes a tie upwards.
 */
export function decimals(value: number, digits: number): number {
  const rounded = Number(value.toFixed(digits));
  const exact = Math.abs(value).toFixed(Math.min(100, digits + 40));
  const rest = exact.slice(exact.indexOf(".") + 1 + digits);
  if (!/^50*$/.test(rest)) return rounded;
  const unit = 10 ** -digits;
  const isOdd = Math.round(Math.abs(rounded) / unit) % 2 === 1;
  return isOdd ? Number((rounded - Math.sign(value) * unit).toFixed(digits)) : rounded;
}
