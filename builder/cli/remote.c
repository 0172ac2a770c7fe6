// SPDX-License-Identifier: Apache-2.0
/*
 * What commands that talk to registries share: options to transfer options, transfer events to the
 * events of the display, names of images. Text of options is judged here; the transfer code trusts
 * it.
 */
#include "builder/cli/remote.h"
#include "builder/plan/platformword.h"

#include <stdarg.h>
#include <stdio.h>

#include "parser/words.h"
#include "store/base/mem.h"
#include "store/compress/compress.h"
#include "store/image.h"
#include "store/imageindex.h"
#include "store/oci/oci.h"
#include "store/reference.h"

#define REMOTE_RETRIES_MAX  100
#define REMOTE_DELAY_MAX_S  300 /* of --retry-delay */
#define REMOTE_DIGEST_SHOWN 19  /* "sha256:" and 12 digits */

struct ui *remote_ui(struct remote_opts *r)
{
	enum ui_mode mode = UI_AUTO;
	struct ui_opts o;

	if (r->progress)
		(void)ui_mode_parse(r->progress, &mode);
	r->quiet = r->quiet || mode == UI_QUIET;
	ui_opts_from_env(&o, r->quiet ? UI_QUIET : mode, STDERR_FILENO);
	return ui_new(&o);
}

void remote_status(struct ui *ui, const char *fmt, ...)
{
	struct event e = {.kind = EVENT_STATUS};
	auto_free char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = mem_vprintf(fmt, ap);
	va_end(ap);
	e.text = text;
	ui_event(ui, &e);
}

static void on_transfer(void *ctx, const struct transfer_event *t)
{
	char text[DIGEST_STRING + 16], digest[DIGEST_STRING];
	struct event e = {.kind = EVENT_TRANSFER, .text = text, .done = t->done, .total = t->total};
	const char *note = "";

	switch (t->kind) {
	case TRANSFER_BLOB_DONE:
		/* The size may not have been known before. */
		e.total = e.done = t->total ? t->total : t->done;
		break;
	case TRANSFER_BLOB_EXISTS:
	case TRANSFER_BLOB_MOUNTED:
		note = t->kind == TRANSFER_BLOB_EXISTS ? " exists" : " mounted";
		e.done = e.total;
		break;
	case TRANSFER_RETRY:
		e.kind = EVENT_WARNING;
		e.text = t->text ? t->text : "trying again";
		break;
	case TRANSFER_NOTE:
		e.kind = EVENT_WARNING;
		e.text = t->text;
		break;
	case TRANSFER_BLOB_START:
	case TRANSFER_BLOB_PROGRESS:
		break;
	case TRANSFER_MANIFEST:
		return;
	}
	snprintf(text, sizeof text, "%.*s%s", REMOTE_DIGEST_SHOWN,
		sha256_string(&t->digest, digest), note);
	ui_event(ctx, &e);
}

int remote_compression(struct remote_opts *r, struct err **err)
{
	if (layer_packing_parse(r->compression ? r->compression : "gzip", &r->packing, err) < 0)
		return err_prefix(err, "--compression");
	return 0;
}

int remote_retries(struct remote_opts *r, struct err **err)
{
	int64_t ns;
	uint64_t n;

	if (r->retry && !words_number(slice_of(r->retry), 10, REMOTE_RETRIES_MAX, &n))
		return err_set(err, ERR_USAGE, "--retry: \"%s\" is not a number from 0 to %d",
			r->retry, REMOTE_RETRIES_MAX);
	if (r->retry)
		r->retries = n ? (unsigned)n : TRANSFER_NO_RETRIES;
	if (!r->retry_delay)
		return 0;
	if (!words_duration(slice_of(r->retry_delay), &ns) || ns < 0 ||
		ns > (int64_t)REMOTE_DELAY_MAX_S * 1000000000) {
		err_set(err, ERR_USAGE, "--retry-delay: \"%s\" is not a time of at most %d s",
			r->retry_delay, REMOTE_DELAY_MAX_S);
		return err_hint(err, "write it as 500ms, 2s or 1m");
	}
	r->retry_delay_ms = (unsigned)(ns / 1000000);
	return 0;
}

void remote_transfer_opts(
	const struct cli *c, const struct remote_opts *r, struct ui *ui, struct transfer_opts *out)
{
	*out = (struct transfer_opts){
		.authfile = r->authfile,
		.cert_dir = r->cert_dir,
		.allow_private = r->allow_private,
		.tls_verify = r->tls_verify,
		.retries = r->retries,
		.retry_delay_ms = r->retry_delay_ms,
		.packing = r->compression ? r->packing : (struct layer_packing){.c = LAYER_GZIP},
		.event = ui ? on_transfer : NULL,
		.ctx = ui,
		.cancelled = c->cancelled,
	};
}

/* "NAME has linux/arm64, linux/s390x" */
static void hint_platforms(struct store *s, const char *text, struct err **err)
{
	auto_oci_descriptor struct oci_descriptor d = {0};
	auto_oci_index struct oci_index x = {0};
	auto_buf struct buf all;

	buf_init(&all, BUF_TEXT_MAX);
	if (imageindex_resolve(s, text, &d, NULL, NULL) != 1 ||
		imageindex_read(s, &d.digest, &x, NULL) < 0)
		return;
	for (size_t i = 0; i < x.nmanifests; i++) {
		auto_free char *p = oci_platform_text(&x.manifests[i].platform);

		buf_addf(&all, "%s%s", i ? ", " : "", p);
	}
	err_hint(err, "it is an index with %s", all.len ? all.data : "no image");
}

int remote_open_image(struct store *s, const char *text, const char *platform, struct image *out,
	struct err **err)
{
	auto_oci_platform struct oci_platform p = {0};

	if (platform && platformword_parse(platform, true, &p, err) < 0) {
		err_rekind(err, ERR_USAGE);
		return err_prefix(err, "--platform");
	}
	if (image_open(s, text, platform ? &p : NULL, out, err) == 0)
		return 0;
	hint_platforms(s, text, err);
	return -1;
}

char *remote_name(const char *text, struct err **err)
{
	auto_reference struct reference r = {0};

	if (reference_parse(text, &r, err) < 0)
		return NULL;
	return reference_text(&r);
}
