// SPDX-License-Identifier: Apache-2.0
// danfojs-node asks for tfjs-node, whose install script downloads a native library. Tables need no tensor at
// all, so plain tfjs-core with the JavaScript backend stands in. Chained tensor operations are left out on
// purpose: DataFrame arithmetic is float32, and with this it throws instead of rounding a result silently.
const tf = require('@tensorflow/tfjs-core');
require('@tensorflow/tfjs-backend-cpu');

module.exports = tf;
