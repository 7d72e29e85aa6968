/* SPDX-License-Identifier: Apache-2.0 */
/* Runs everywhere; no policy, no privileged call. */
#include "err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void
append(char *text, const char *tail)
{
	size_t used = strlen(text);

	if (used < ERR_TEXT_MAX - 1) {
		snprintf(text + used, ERR_TEXT_MAX - used, "%s", tail);
	}
}

int
err_set(struct err *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (err != NULL) {
		err->code = code;
		va_start(ap, fmt);
		vsnprintf(err->text, sizeof(err->text), fmt, ap);
		va_end(ap);
	}
	return code;
}

int
err_sys(struct err *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (err != NULL) {
		err->code = code;
		va_start(ap, fmt);
		vsnprintf(err->text, sizeof(err->text), fmt, ap);
		va_end(ap);
		append(err->text, ": ");
		append(err->text, strerror(-code));
	}
	return code;
}

void
err_prefix(struct err *err, const char *fmt, ...)
{
	char inner[ERR_TEXT_MAX];
	va_list ap;

	if (err == NULL) {
		return;
	}
	memcpy(inner, err->text, sizeof(inner));
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	append(err->text, ": ");
	append(err->text, inner);
}
