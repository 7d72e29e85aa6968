/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target for the payload of a sealed file. Run by the developer or CI; the bytes are
 * anybody's who knows a public key. What is taken must lie in the room and have its size; an error
 * has words, and none of the bytes.
 */
#include "../../launcher/bundle/sealed.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct sealed_place place = { "acme", "gh", 3 };
	auto_free uint8_t *bytes = malloc(SEALED_ROOM);
	struct locked room = { .data = bytes, .size = SEALED_ROOM };
	struct sealed_value value;
	struct err err = ERR_INIT;

	require(bytes != NULL && size <= CAP_SEALED_PAYLOAD, "no room");
	memcpy(bytes, data, size);
	if (sealed_check(&place, &room, size, &value, &err) == 0) {
		require(value.len >= 1 && value.len <= CAP_VALUE, "a length that is none");
		require(value.data > bytes && value.data + value.len < bytes + SEALED_ROOM,
			"out of the room");
		require(value.data[value.len] == 0, "no NUL behind it");
	} else {
		require(err.text[0] != '\0' && strlen(err.text) < 100, "an error without words");
	}
	return 0;
}
