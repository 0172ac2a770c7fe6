// SPDX-License-Identifier: Apache-2.0
/* The text is copied piece by piece, from one secret to the next. */
#include "builder/secrets/urlshown.h"

#include <string.h>

#include "parser/urlsecret.h"
#include "store/base/buf.h"

struct shown {
	struct buf text;
	const char *from; /* what is not in it yet */
	const char *end;
};

static void leave_out(void *ctx, struct slice secret)
{
	struct shown *s = ctx;
	const char *behind = secret.ptr + secret.len;
	size_t before = (size_t)(secret.ptr - s->from);

	buf_add(&s->text, s->from, before);
	/* A login goes with its '@', a parameter leaves its name. */
	if (behind < s->end && *behind == '@' && before >= 3 &&
		memcmp(secret.ptr - 3, "://", 3) == 0)
		behind++;
	else
		buf_adds(&s->text, "***");
	s->from = behind;
}

char *urlshown(struct slice text)
{
	struct shown s = {.from = text.ptr, .end = text.ptr + text.len};

	buf_init(&s.text, 4 * text.len + 1); /* one byte may become three */
	urlsecret_each(text, leave_out, &s);
	buf_add(&s.text, s.from, (size_t)(s.end - s.from));
	return buf_take(&s.text);
}
