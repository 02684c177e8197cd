// SPDX-License-Identifier: Apache-2.0
// danfojs-node takes five statistics from mathjs, which needs most of a second of processor time to load. None is ever asked of a frame: statistics
// are analysis/stats' own, in float64. So each is left out, and says so rather than give a wrong figure (danfojs' std of one row is 0).
for (const name of ['mean', 'median', 'mode', 'std', 'variance']) {
  module.exports[name] = () => {
    throw new Error(`${name} of a frame: tables hold no statistics; use analysis/stats`);
  };
}
