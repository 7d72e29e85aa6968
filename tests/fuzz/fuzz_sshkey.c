/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target for values that an agent is to have. Run by the developer or CI; the bytes are
 * those of whoever wrote the bundle. The first one says whether they are a text, or what stands
 * below its armour. A key that is opened has signed; an error has words, and none of the bytes.
 */
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "../../launcher/credd/ssh_key.h"
#include "fuzz.h"

/*
 * The library keeps its random numbers where its secrets are, and the leak checker does not look
 * there; they are made before there is such a place.
 */
static void
begin(void)
{
	static bool has_begun;
	uint8_t byte;

	if (!has_begun) {
		require(RAND_bytes(&byte, 1) == 1 && RAND_priv_bytes(&byte, 1) == 1, "no numbers");
		has_begun = true;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_ssh_key key = SSH_KEY_INIT;
	struct err err = ERR_INIT;
	int rc;

	begin();
	if (size == 0) {
		return 0;
	}
	if (data[0] == 0) {
		rc = ssh_key_open(data + 1, size - 1, &key, &err);
		require((rc == 0) == (key.key != NULL && key.blob.len > 0),
			"no key, or half of one");
	} else {
		rc = ssh_key_read(data + 1, size - 1, &key.key, &err);
		require((rc == 0) == (key.key != NULL), "no key, or one with an error");
	}
	require(rc == 0 || (err.text[0] != '\0' && strlen(err.text) < 160),
		"an error without words");
	return 0;
}
