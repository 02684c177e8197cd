// SPDX-License-Identifier: Apache-2.0

/** From here on the asymptotic series are good to 1e-15. */
const FAR = 20;

/** psi(x), the derivative of ln Gamma, for x > 0. Source: recurrence 5.5.2 and series 5.11.2 of the NIST Digital Library of Mathematical Functions. */
export function digamma(x: number): number {
  let sum = 0;
  let at = x;
  for (; at < FAR; at++) sum -= 1 / at;
  const y = 1 / (at * at);
  return sum + Math.log(at) - 0.5 / at - y * (1 / 12 - y * (1 / 120 - y * (1 / 252 - y / 240)));
}

/** psi'(x) for x > 0. Source: recurrence 5.15.5 and series 5.15.8 of the same. */
export function trigamma(x: number): number {
  let sum = 0;
  let at = x;
  for (; at < FAR; at++) sum += 1 / (at * at);
  const y = 1 / (at * at);
  return sum + 1 / at + y / 2 + (y / at) * (1 / 6 - y * (1 / 30 - y * (1 / 42 - y / 30)));
}

/** x with psi'(x) = y, for y > 0, by bisection on ln x: psi' falls from infinity to 0. */
export function trigammaInverse(y: number): number {
  let [low, high] = [Math.log(1e-8), Math.log(1e8)];
  if (y >= trigamma(Math.exp(low))) return Math.exp(low);
  if (y <= trigamma(Math.exp(high))) return Math.exp(high);
  for (let round = 0; round < 60; round++) {
    const middle = (low + high) / 2;
    if (trigamma(Math.exp(middle)) > y) low = middle;
    else high = middle;
  }
  return Math.exp((low + high) / 2);
}
