// SPDX-License-Identifier: Apache-2.0
/*
 * Entries of history, in the form that docker writes. Most get no time here: result.c fills those
 * in when all times are known. A long text is cut, as a heredoc can be larger than the rest of the
 * configuration.
 */
#include "builder/image/history.h"

#include <stdio.h>
#include <stdlib.h>

#include "builder/plan/scope.h"
#include "store/base/buf.h"
#include "store/base/mem.h"
#include "store/base/now.h"
#include "store/oci/oci.h"

#define HISTORY_TEXT_MAX ((size_t)64 << 10) /* of one entry; a heredoc may be longer and is cut */

void history_add(struct state *st, const char *created_by, bool empty_layer, int64_t created)
{
	char when[NOW_RFC3339];
	auto_free char *text = mem_strndup(created_by, HISTORY_TEXT_MAX);
	struct oci_history h = {
		.created =
			created == HISTORY_NO_TIME ? NULL : mem_strdup(now_rfc3339(created, when)),
		.created_by = text,
		.comment = mem_strdup(HISTORY_COMMENT),
		.empty_layer = empty_layer,
	};

	oci_config_add_history(&st->config, &h);
	free(h.created);
	free(h.comment);
}

char *history_words(const struct strlist *l)
{
	auto_buf struct buf b = {0};

	buf_init(&b, BUF_TEXT_MAX);
	buf_addc(&b, '[');
	for (size_t i = 0; i < l->n; i++) {
		buf_adds(&b, i ? "," : "");
		buf_addc(&b, '"');
		for (const char *p = l->v[i]; *p; p++) {
			if (*p == '"' || *p == '\\')
				buf_addc(&b, '\\');
			if (*p == '\n')
				buf_adds(&b, "\\n");
			else
				buf_addc(&b, *p);
		}
		buf_addc(&b, '"');
	}
	buf_addc(&b, ']');
	return buf_take(&b);
}

char *history_args(const struct state *st)
{
	auto_buf struct buf b = {0};
	size_t n = 0;

	buf_init(&b, BUF_TEXT_MAX);
	for (size_t i = 0; i < st->scope.args.n; i++) {
		const char *name = st->scope.args.v[i];
		const char *value = scope_get(&st->scope, name);
		if (!value)
			continue;
		buf_addf(&b, "%s=%s ", name, value);
		n++;
	}
	return n ? mem_printf("|%zu %s", n, b.data) : mem_strdup("");
}
