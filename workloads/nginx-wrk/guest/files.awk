# SPDX-License-Identifier: Apache-2.0
# Writes `files` files to `folder`: sizes are log-uniform from 256 bytes to `largest`, contents are letters; both are drawn from `seed`.
BEGIN {
	srand(seed)
	while (length(text) < largest) {
		line = ""
		for (i = 0; i < 64; i++)
			line = line sprintf("%c", 97 + int(rand() * 26))
		text = text line
	}
	for (i = 1; i <= files; i++) {
		size = int(256 * exp(rand() * log(largest / 256)))
		printf "%s", substr(text, 1, size) > (folder "/" i)
		if (close(folder "/" i) != 0)
			exit 1
	}
}
