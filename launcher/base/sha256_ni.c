/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in the front and in readers of the store, as the caller, over bytes of any origin.
 * SHA-256 with the SHA instructions of x86-64. The instructions keep the state as {a,b,e,f} and
 * {c,d,g,h}, highest word first, and do two rounds each.
 */
#include "sha256_internal.h"

#ifdef __x86_64__

#include <cpuid.h>
#include <immintrin.h>

bool
sha256_ni_usable(void)
{
	unsigned int a, b, c, d;

	if (__get_cpuid_max(0, NULL) < 7) {
		return false;
	}
	__cpuid_count(7, 0, a, b, c, d);
	if ((b & bit_SHA) == 0) {
		return false;
	}
	__cpuid(1, a, b, c, d);
	return (c & bit_SSE4_1) != 0;
}

struct lanes {
	__m128i abef, cdgh;
};

/*
 * Four rounds with the message words w and the constants from k on. The rounds of one state wait
 * for each other; those of the second fit in between.
 */
#define ROUNDS(w, k)                                                                    \
	do {                                                                            \
		__m128i wk_ = _mm_add_epi32((w), _mm_load_si128((const __m128i *)(k))); \
		a.cdgh = _mm_sha256rnds2_epu32(a.cdgh, a.abef, wk_);                    \
		b.cdgh = two ? _mm_sha256rnds2_epu32(b.cdgh, b.abef, wk_) : b.cdgh;     \
		wk_ = _mm_shuffle_epi32(wk_, 0x0e);                                     \
		a.abef = _mm_sha256rnds2_epu32(a.abef, a.cdgh, wk_);                    \
		b.abef = two ? _mm_sha256rnds2_epu32(b.abef, b.cdgh, wk_) : b.abef;     \
	} while (0)

/* The four message words that follow w0..w3 (16 words); they take the place of w0. */
#define EXPAND(w0, w1, w2, w3)        \
	((w0) = _mm_sha256msg2_epu32( \
		 _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4)), w3))

__attribute__((target("sha,sse4.1"))) static struct lanes
load_lanes(const uint32_t state[8])
{
	const __m128i *words = (const __m128i *)state;
	__m128i dcba = _mm_shuffle_epi32(_mm_loadu_si128(words), 0xb1);
	__m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128(words + 1), 0x1b);

	return (struct lanes){ _mm_alignr_epi8(dcba, hgfe, 8), _mm_blend_epi16(hgfe, dcba, 0xf0) };
}

__attribute__((target("sha,sse4.1"))) static void
store_lanes(struct lanes l, uint32_t state[8])
{
	__m128i *words = (__m128i *)state;
	__m128i dcba = _mm_shuffle_epi32(l.abef, 0x1b);
	__m128i hgfe = _mm_shuffle_epi32(l.cdgh, 0xb1);

	_mm_storeu_si128(words, _mm_blend_epi16(dcba, hgfe, 0xf0));
	_mm_storeu_si128(words + 1, _mm_alignr_epi8(hgfe, dcba, 8));
}

__attribute__((target("sha,sse4.1"))) static struct lanes
add_lanes(struct lanes a, struct lanes b)
{
	return (struct lanes){ _mm_add_epi32(a.abef, b.abef), _mm_add_epi32(a.cdgh, b.cdgh) };
}

/* Into one state, or into two: inlined, so that there is a loop for each of them. */
__attribute__((always_inline, target("sha,sse4.1"))) static inline void
hash_blocks(uint32_t state[8], uint32_t other[8], bool two, const uint8_t *p, size_t blocks)
{
	const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	struct lanes a = load_lanes(state), b = load_lanes(two ? other : state);

	for (; blocks > 0; blocks--, p += 64) {
		const __m128i *in = (const __m128i *)p;
		const struct lanes a_before = a, b_before = b;
		__m128i w0 = _mm_shuffle_epi8(_mm_loadu_si128(in), swap);
		__m128i w1 = _mm_shuffle_epi8(_mm_loadu_si128(in + 1), swap);
		__m128i w2 = _mm_shuffle_epi8(_mm_loadu_si128(in + 2), swap);
		__m128i w3 = _mm_shuffle_epi8(_mm_loadu_si128(in + 3), swap);

		ROUNDS(w0, sha256_k);
		ROUNDS(w1, sha256_k + 4);
		ROUNDS(w2, sha256_k + 8);
		ROUNDS(w3, sha256_k + 12);
		for (unsigned int t = 16; t < 64; t += 16) {
			EXPAND(w0, w1, w2, w3);
			ROUNDS(w0, sha256_k + t);
			EXPAND(w1, w2, w3, w0);
			ROUNDS(w1, sha256_k + t + 4);
			EXPAND(w2, w3, w0, w1);
			ROUNDS(w2, sha256_k + t + 8);
			EXPAND(w3, w0, w1, w2);
			ROUNDS(w3, sha256_k + t + 12);
		}
		a = add_lanes(a, a_before);
		b = add_lanes(b, b_before);
	}
	store_lanes(a, state);
	if (two) {
		store_lanes(b, other);
	}
}

__attribute__((target("sha,sse4.1"))) void
sha256_ni_blocks(uint32_t state[8], const uint8_t *p, size_t blocks)
{
	hash_blocks(state, NULL, false, p, blocks);
}

__attribute__((target("sha,sse4.1"))) void
sha256_ni_blocks_two(uint32_t state[8], uint32_t other[8], const uint8_t *p, size_t blocks)
{
	hash_blocks(state, other, true, p, blocks);
}

#else

bool
sha256_ni_usable(void)
{
	return false;
}

void
sha256_ni_blocks(uint32_t state[8], const uint8_t *p, size_t blocks)
{
	(void)state;
	(void)p;
	(void)blocks;
	__builtin_trap();
}

void
sha256_ni_blocks_two(uint32_t state[8], uint32_t other[8], const uint8_t *p, size_t blocks)
{
	(void)state;
	(void)other;
	(void)p;
	(void)blocks;
	__builtin_trap();
}

#endif
