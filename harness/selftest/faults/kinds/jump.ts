// SPDX-License-Identifier: Apache-2.0
// Loaded before a controller (`node --import`): after PMVX_JUMP_AFTER_MS its wall clock is PMVX_JUMP_BY_MS further, as when somebody sets the
// date. Clocks that only go forward are left alone, as they are by the kernel then.
const [afterMs, byMs] = [Number(process.env.PMVX_JUMP_AFTER_MS), Number(process.env.PMVX_JUMP_BY_MS)];
const RealDate = Date;
const now = () => RealDate.now() + (performance.now() >= afterMs ? byMs : 0);

globalThis.Date = new Proxy(RealDate, {
  construct: (target, given) => Reflect.construct(target, given.length === 0 ? [now()] : given),
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
});
