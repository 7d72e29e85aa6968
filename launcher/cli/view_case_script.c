/* SPDX-License-Identifier: Apache-2.0 */
/* verify.sh, which airlock-cli carries in itself: launcher/cli/case_verify.sh, byte for byte. */
#include "view_case.h"

/* The assembler reads it from the top of the tree, where everything is built. */
__asm__(".pushsection .rodata\n"
	"case_script_begin:\n"
	".incbin \"launcher/cli/case_verify.sh\"\n"
	"case_script_end:\n"
	".balign 8\n"
	"case_script_size: .quad case_script_end - case_script_begin\n"
	".popsection\n");

extern const char case_script_begin[];
extern const uint64_t case_script_size;

void
case_script(struct buf *out)
{
	buf_put(out, case_script_begin, case_script_size);
}
