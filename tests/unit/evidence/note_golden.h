/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Made with openssl alone: `openssl genpkey -algorithm ed25519`, then `openssl pkeyutl -sign
 * -rawin` over the text and over the cosigned message; ids with `openssl dgst -sha256`. A key of
 * these tests only. For the tests of launcher/evidence and launcher/witness.
 */
#ifndef AIRLOCK_TESTS_NOTE_GOLDEN_H
#define AIRLOCK_TESTS_NOTE_GOLDEN_H

#include <criterion/criterion.h>

#include "../../../launcher/base/buf.h"
#include "../../../launcher/evidence/note.h"

#define LOG_NAME "log.example.org/airlock/1"
#define WITNESS_NAME "witness.example.org/w1"
#define KEY_PEM                                                              \
	"-----BEGIN PRIVATE KEY-----\n"                                      \
	"MC4CAQAwBQYDK2VwBCIEIMzwUDEsjtW+7OJ+97gH0eJ0AJ2S5KDUFyDbElovqM5N\n" \
	"-----END PRIVATE KEY-----\n"
#define KEY_PUB "c64113aca64ba41662c4059105739d814c9ceb07389bb7e525cef879268d694e"
#define LOG_VKEY LOG_NAME "+a83f02b7+AcZBE6ymS6QWYsQFkQVznYFMnOsHOJu35SXO+HkmjWlO"
#define WITNESS_VKEY WITNESS_NAME "+eb0502e9+BMZBE6ymS6QWYsQFkQVznYFMnOsHOJu35SXO+HkmjWlO"
/* The log of the entries "entry 0" to "entry 599". */
#define GOLDEN_TEXT LOG_NAME "\n600\n6KgEr1lnie1PU5QuKUz+RNW+1McUDH8PX6UsDBIiMtY=\n"
#define GOLDEN_ROOT "e8a804af596789ed4f53942e294cfe44d5bed4c7140c7f0f5fa52c0c122232d6"
#define GOLDEN_LINE                                                            \
	"\xe2\x80\x94 " LOG_NAME " "                                           \
	"qD8Ct8pWtb3RFb8bEM5mKAIqDF1dgGsUljKGnCsdxlEFTX0Re66P60KcmgqmyyjcpO0q" \
	"eVhFymjdI081/2muOspqsQ0=\n"
#define GOLDEN_TIME 1679315147u
#define GOLDEN_COSIGNATURE                                                 \
	"\xe2\x80\x94 " WITNESS_NAME " "                                   \
	"6wUC6QAAAABkGFDLYMTxKUjItyKZoZ4N/jzv1YF2n/BcgcDKyoEQlIfyGmnsWRyJ" \
	"a7Xi2TnCxUs2s3y2JFo/Xu5lEBRl+VkyV9+kAQ==\n"
#define GOLDEN_NOTE GOLDEN_TEXT "\n" GOLDEN_LINE GOLDEN_COSIGNATURE

/* That key under a name. */
static inline struct note_signer
golden_signer(const char *name, uint8_t algorithm)
{
	struct note_signer s;
	struct err err = ERR_INIT;
	auto_buf pem = BUF_INIT;

	buf_printf(&pem, "name: %s\n%s", name, KEY_PEM);
	cr_assert_eq(note_signer_parse(buf_text(&pem), pem.len, algorithm, &s, &err), 0, "%s",
		     err.text);
	return s;
}

#endif
