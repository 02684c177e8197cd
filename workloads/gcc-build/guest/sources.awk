# SPDX-License-Identifier: Apache-2.0
# Writes f1.c ... and main.c: arithmetic, loops and switches, drawn with `seed`.
function draw(n) { return int(rand() * n) }
function body(file,   i) {
	printf "\tunsigned int a = x, b = %d, t[16] = { %d, %d, %d };\n", draw(1000) + 1, draw(99), draw(99), draw(99) >file
	for (i = 0; i < 6 + draw(6); i++) {
		kind = draw(3)
		if (kind == 0)
			printf "\tfor (unsigned int i = 0; i < %d; i++) { t[i %% 16] ^= a * %du + b; a += t[(i + %d) %% 16] >> %d; }\n", 8 + draw(40), 1 + draw(9999), draw(16), draw(7) >file
		else if (kind == 1)
			printf "\tswitch (a %% 5) { case 0: b += %d; break; case 1: b ^= a << %d; break; case 2: a -= b; break; default: a = b * %du; }\n", draw(500), draw(9), 1 + draw(77) >file
		else
			printf "\tif ((a ^ b) & %du) a = a * a + %du; else b += a / %du;\n", 1 + draw(255), draw(1000), 1 + draw(50) >file
	}
	print "\treturn a + b + t[x % 16];" >file
}
BEGIN {
	srand(seed)
	for (f = 1; f <= files; f++) {
		name = "f" f ".c"
		count = 1 + int(functions * (0.75 + rand() / 2))
		for (g = 1; g <= count; g++) {
			printf "%sunsigned int f%d_%d(unsigned int x)\n{\n", g < count ? "static " : "", f, g >name
			body(name)
			print "}" >name
		}
		printf "unsigned int f%d(unsigned int x)\n{\n\treturn x", f >name
		for (g = 1; g <= count; g++) printf " + f%d_%d(x + %d)", f, g, g >name
		print ";\n}" >name
		close(name)
	}
	print "#include <stdio.h>" >"main.c"
	for (f = 1; f <= files; f++) printf "unsigned int f%d(unsigned int x);\n", f >"main.c"
	printf "int main(void)\n{\n\tprintf(\"%%u\\n\", 0u" >"main.c"
	for (f = 1; f <= files; f++) printf " + f%d(%du)", f, draw(1000) >"main.c"
	print ");\n\treturn 0;\n}" >"main.c"
}
