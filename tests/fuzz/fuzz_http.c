// SPDX-License-Identifier: Apache-2.0
/*
 * An answer of an evil server: a line with the status, header lines, an empty line, the body. As a
 * download that is whole, that goes on in the middle and that begins again; as a refusal that is
 * put into words; and its Retry-After.
 */
#include "store/transport/backoff.h"
#include "store/transport/http.h"
#include "store/transport/reply.h"
#include "tests/fuzz/fuzzkit.h"

#define MAX 4096

static int put(void *ctx, const void *p, size_t n, struct err **err)
{
	size_t *sum = ctx;
	(void)err;
	*sum += n;
	return ((const char *)p)[0] == '\1' ? 0 : 0;
}

static void download(const struct http_response *r, const char *body, size_t n, bool immutable)
{
	struct http_sink k;
	struct err *err = NULL;
	size_t got = 0;

	http_sink_init(&k, (struct io_writer){.write = put, .ctx = &got}, MAX, ERR_LIMIT);
	k.immutable = immutable;
	for (int attempt = 0; attempt < 3; attempt++) {
		bool over = false;
		if (fuzz_failed(http_sink_start(&k, r, r->status, "host", &err), &err))
			break;
		for (size_t at = 0; at < n && !over; at += 100)
			over = fuzz_failed(http_sink_bytes(&k, body + at,
						   n - at < 100 ? n - at : 100, "host", &err),
				&err);
		fuzz_must(k.done == got && got <= MAX);
		if (over || fuzz_failed(http_sink_end(&k, "host", &err), &err))
			break;
	}
	http_sink_clear(&k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_strndup((const char *)data, size), *p = text;
	struct http_response r;
	struct err *err = NULL;

	http_response_init(&r);
	r.status = (int)strtol(p, &p, 10) % 1000;
	while (*p && *p++ != '\n')
		;
	for (size_t n; (n = strcspn(p, "\n")) > 0; p += n + (p[n] == '\n')) {
		/* As http.c keeps them: "name: value", the name in lower case. */
		char *line = mem_strndup(p, n), *value = strchr(line, ':');
		for (char *c = line; value && c < value; c++)
			*c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
		if (value) {
			*value++ = '\0';
			value += strspn(value, " \t\r");
			strlist_addf(&r.headers, "%s: %s", line, value);
		}
		free(line);
	}
	p += *p == '\n';
	size_t n = size > (size_t)(p - text) ? size - (size_t)(p - text) : 0;
	const char *body = (const char *)data + (p - text);
	buf_add(&r.body, body, n);
	const char *again = http_header(&r, "retry-after");
	if (again)
		(void)backoff_retry_after_ms(again, 0);
	(void)reply_has_code(&r, "MANIFEST_UNKNOWN");
	fuzz_must(fuzz_failed(reply_error(&r, "what", &err), &err));
	download(&r, body, n, false);
	download(&r, body, n, true);
	http_response_clear(&r);
	free(text);
	return 0;
}
