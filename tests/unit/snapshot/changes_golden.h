/* SPDX-License-Identifier: Apache-2.0 */
/* The vector of docs/formats.md, "Change set": what the writer makes and the reader takes. */
#ifndef TESTS_UNIT_SNAPSHOT_CHANGES_GOLDEN_H
#define TESTS_UNIT_SNAPSHOT_CHANGES_GOLDEN_H

#define ZEROS_62 "00000000000000000000000000000000000000000000000000000000000000"

#define CHANGES_GOLDEN_HEADER                         \
	"airlock-changes v1\n"                        \
	"call 01935c8e-1f2a-7b3c-9d4e-af5061728394\n" \
	"workspace 64512 131073\n"

#define CHANGES_GOLDEN                                                                            \
	CHANGES_GOLDEN_HEADER                                                                     \
	"replace 100644 120777 1 - - - 2:\\012\\377 1:-\n"                                        \
	"create - 100644 - 0 - 00" ZEROS_62 " 6:.envrc -\n"                                       \
	"mode 040755 040700 - - - - 1:d -\n"                                                      \
	"modify 100644 100644 1 2 aa" ZEROS_62 " bb" ZEROS_62 " 3:d.c - xattr:user.x=00" ZEROS_62 \
	"\n"                                                                                      \
	"delete 100644 - 3 - - - 5:d/a\\040b -\n"

#define CHANGES_GOLDEN_DIGEST "104965b29559a3e2db0f8718d565f7b07519cd05da5ca7259c650be0f4f45902"

#endif
