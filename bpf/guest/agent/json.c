// SPDX-License-Identifier: GPL-2.0-only
/* Text as a JSON string holds it, without the quotes. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

const char *json_escape(const char *text, char *buffer, size_t size);

/* Bytes of the character of UTF-8 that begins here (RFC 3629); 0 when none does. */
static size_t character(const unsigned char *text)
{
	size_t length = text[0] < 0x80 ? 1 : text[0] >= 0xc2 && text[0] < 0xe0 ? 2 : text[0] >> 4 == 0xe ? 3 : text[0] >= 0xf0 && text[0] < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < length; i++) {
		if (text[i] >> 6 != 2)
			return 0;
	}
	/* Longer than it need be, half of a pair, beyond the last. */
	if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f) || (text[0] == 0xf0 && text[1] < 0x90) ||
	    (text[0] == 0xf4 && text[1] > 0x8f))
		return 0;
	return length;
}

/* Characters of UTF-8 stay as they are, whole ones only; a byte that belongs to none becomes U+FFFD. Cut where the buffer ends. */
const char *json_escape(const char *text, char *buffer, size_t size)
{
	size_t at = 0;

	while (*text && at + 8 < size) {
		unsigned char c = (unsigned char)*text;
		size_t length = character((const unsigned char *)text);

		if (c == '"' || c == '\\')
			at += (size_t)sprintf(buffer + at, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			at += (size_t)sprintf(buffer + at, "\\u%04x", c);
		else if (!length)
			at += (size_t)sprintf(buffer + at, "\\ufffd");
		else {
			memcpy(buffer + at, text, length);
			at += length;
		}
		text += length ? length : 1;
	}
	buffer[at] = '\0';
	return buffer;
}
