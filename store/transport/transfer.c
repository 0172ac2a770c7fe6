// SPDX-License-Identifier: Apache-2.0
/*
 * What the builder calls to pull, push, save, load and log in: each operation on the place
 * (place.h) that its text names. A push with --format=auto is tried as
 * the image is and once more with Docker's types, with all its images, when the registry refuses
 * those of OCI.
 */
#include "store/transport/backoff.h"
#include "store/transport/transfer.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/blob.h"
#include "store/imageindex.h"
#include "store/oci/oci.h"
#include "store/reference.h"
#include "store/transport/auth_file.h"
#include "store/transport/load.h"
#include "store/transport/outgoing.h"
#include "store/transport/endpoint.h"
#include "store/transport/progress.h"
#include "store/transport/pull.h"
#include "store/transport/registry.h"
#include "store/transport/secret.h"
#include "store/transport/transport.h"
#include "store/transport/url.h"

_Static_assert(TRANSFER_NO_RETRIES == BACKOFF_NONE, "handed through as it is");

bool transfer_is_local(const char *text)
{
	const struct endpoint_kind *kind = endpoint_kind_of(text);

	return kind && !kind->registry;
}

/* --- pull ------------------------------------------------------------------------------- */

static int transfer_ended(struct progress *p, int rc)
{
	progress_clear(p);
	return rc;
}

static int transfer_pull_from(struct store *s, const char *source, const char *name,
	struct progress *p, struct oci_descriptor *d, struct err **err)
{
	auto_endpoint struct endpoint from = {0};
	auto_transport struct transport *t = NULL;
	auto_reference struct reference check = {0};

	if (endpoint_parse(source, &from, err) < 0 ||
		(name && *name && reference_parse(name, &check, err) < 0))
		return -1;
	t = from.kind->open(s, &from, p, err);
	if (!t || pull_image(s, t, p, NULL, d, err) < 0 || progress_check(p, err) < 0)
		return -1;
	return load_tag(s, t, p, name, d, NULL, err);
}

int transfer_pull(struct store *s, const char *source, const char *name,
	const struct transfer_opts *o, struct digest *manifest, struct err **err)
{
	struct oci_descriptor d = {0};
	struct progress p;
	int rc;

	progress_init(&p, o);
	rc = transfer_pull_from(s, source, name, &p, &d, err);
	if (rc == 0)
		*manifest = d.digest;
	oci_descriptor_clear(&d);
	return transfer_ended(&p, rc);
}

int transfer_load(struct store *s, const char *path, const struct transfer_opts *o,
	struct strlist *loaded, struct err **err)
{
	struct progress p;

	progress_init(&p, o);
	return transfer_ended(&p, load_archive(s, path, &p, loaded, err));
}

int transfer_resolve(
	const char *source, const struct transfer_opts *o, struct digest *out, struct err **err)
{
	auto_endpoint struct endpoint from = {0};
	auto_reference struct reference ref = {0};
	auto_registry struct registry *r = NULL;
	struct progress p;
	struct registry_opts ro = {.authfile = o->authfile,
		.cert_dir = o->cert_dir,
		.allow_private = o->allow_private,
		.tls_verify = o->tls_verify,
		.retries = o->retries,
		.retry_delay_ms = o->retry_delay_ms,
		.user = o->user,
		.password = o->password,
		.cancelled = o->cancelled,
		.notify = progress_retry,
		.ctx = &p};
	char hex[DIGEST_STRING];

	if (endpoint_parse(source, &from, err) < 0)
		return -1;
	if (!from.kind->registry)
		return err_set(err, ERR_USAGE, "%s: not a name in a registry", from.path);
	if (reference_parse(from.path, &ref, err) < 0)
		return -1;
	ro.host = ref.host;
	ro.path = ref.path;
	progress_init(&p, o);
	r = registry_open(&ro, err);
	if (!r)
		return transfer_ended(&p, -1);
	return transfer_ended(
		&p, registry_resolve(r, ref.has_digest ? sha256_string(&ref.digest, hex) : ref.tag,
			    out, err));
}

int transfer_document(struct store *s, const char *source, const struct transfer_opts *o,
	struct buf *body, char **media_type, struct err **err)
{
	auto_endpoint struct endpoint from = {0};
	auto_transport struct transport *t = NULL;
	struct progress p;
	int rc = -1;

	if (endpoint_parse(source, &from, err) < 0)
		return -1;
	if (from.kind->no_manifest)
		return err_set(
			err, ERR_UNSUPPORTED, "%s: a docker-archive has no manifest", source);
	progress_init(&p, o);
	t = from.kind->open(s, &from, &p, err);
	if (t)
		rc = t->ops->manifest(t, NULL, body, media_type, err);
	return transfer_ended(&p, rc);
}

/* --- push ------------------------------------------------------------------------------- */

/* What a push is about: an image, or an index with all of its images. */
struct push {
	struct store *s;
	const struct endpoint *to;
	const struct transfer_opts *o;
	const struct image *image; /* or */
	const struct digest *index;
	enum transfer_types types; /* of this try; not AUTO */
	/* results */
	struct digest digest; /* as the destination knows it */
	bool refused;
	unsigned lost;
};

/* d gets what the destination knows the image by. */
static int send_image(struct push *w, const struct image *i, bool by_digest,
	struct oci_descriptor *d, struct err **err)
{
	struct progress p;
	struct outgoing out = {.s = w->s,
		.image = i,
		.p = &p,
		.packing = w->o->packing,
		.repack = w->o->repack,
		.by_digest = by_digest,
		.types = w->types};
	int rc;

	progress_init(&p, w->o);
	rc = w->to->kind->send(&out, w->to, err);
	w->refused |= out.refused;
	w->lost |= out.lost;
	if (rc == 0) {
		*d = out.d;
		out.d = (struct oci_descriptor){0};
	}
	outgoing_clear(&out);
	return transfer_ended(&p, rc);
}

/* One image of an index: the destination may know it by another digest. */
static int send_child(struct push *w, struct oci_descriptor *d, struct err **err)
{
	auto_image struct image i = {0};
	auto_oci_descriptor struct oci_descriptor sent = {0};

	if (image_open_manifest(w->s, &d->digest, &i, err) < 0 ||
		send_image(w, &i, true, &sent, err) < 0)
		return -1;
	d->digest = sent.digest;
	d->size = sent.size;
	free(d->media_type);
	d->media_type = TAKE(sent.media_type);
	return 0;
}

static void clear_annotations(struct push *w, struct strlist *annotations)
{
	if (annotations->n)
		w->lost |= OUTGOING_LOST_ANNOTATIONS;
	strlist_clear(annotations);
}

static void set_index_types(struct push *w, struct oci_index *x)
{
	if (w->types == TRANSFER_TYPES_KEEP)
		return;
	bool docker = w->types == TRANSFER_TYPES_DOCKER;
	free(x->media_type);
	x->media_type = mem_strdup(docker ? OCI_MEDIA_DOCKER_LIST : OCI_MEDIA_INDEX);
	if (!docker)
		return;
	clear_annotations(w, &x->annotations);
	for (size_t i = 0; i < x->nmanifests; i++)
		clear_annotations(w, &x->manifests[i].annotations);
}

static int send_index(struct push *w, struct err **err)
{
	auto_reference struct reference ref = {0};
	auto_oci_index struct oci_index x = {0};
	struct progress p;
	size_t n;
	auto_free char *text = blob_read(w->s, w->index, OCI_MANIFEST_MAX, &n, err);

	if (!text || oci_index_parse(text, n, NULL, &x, err) < 0 ||
		reference_parse(w->to->path, &ref, err) < 0)
		return -1;
	set_index_types(w, &x);
	for (size_t i = 0; i < x.nmanifests; i++)
		if (send_child(w, &x.manifests[i], err) < 0)
			return -1;
	auto_free char *bytes = oci_index_dump(&x, &n);
	progress_init(&p, w->o);
	int rc = transport_index_to_registry(&p, &ref, bytes, n, x.media_type, &w->refused, err);
	sha256_of(bytes, n, &w->digest);
	return transfer_ended(&p, rc);
}

static int send_content(struct push *w, struct err **err)
{
	auto_oci_descriptor struct oci_descriptor d = {0};

	if (w->index)
		return send_index(w, err);
	if (send_image(w, w->image, false, &d, err) < 0)
		return -1;
	w->digest = d.digest;
	return 0;
}

static void transfer_tell(const struct push *w, const char *text)
{
	struct progress p;

	progress_init(&p, w->o);
	progress_emit(&p, TRANSFER_NOTE, NULL, 0, 0, text);
	progress_clear(&p);
}

static void tell_lost(const struct push *w)
{
	const char *dest = w->to->path;
	auto_free char *annotations = mem_printf(
		"%s: the annotations are left out, Docker's media types have none", dest);
	auto_free char *zstd =
		mem_printf("%s: layers go as gzip, Docker's media types know no zstd", dest);

	if (w->lost & OUTGOING_LOST_ANNOTATIONS)
		transfer_tell(w, annotations);
	if (w->lost & OUTGOING_LOST_ZSTD)
		transfer_tell(w, zstd);
}

/* Everything once more, for an index is of one family with its images. */
static int send_as_docker(struct push *w, const struct err *why, struct err **err)
{
	auto_free char *text = mem_printf("%s: sending it with Docker's media types, as the "
					  "registry refuses those of OCI (%s)",
		w->to->path, err_text(why));

	transfer_tell(w, text);
	w->types = TRANSFER_TYPES_DOCKER;
	if (send_content(w, err) == 0)
		return 0;
	if (err && err_get_kind(*err) == ERR_CANCELLED)
		return -1;
	return err_prefix(err, "%s; with Docker's media types", err_text(why));
}

static int send_types(struct push *w, struct err **err)
{
	bool choose = w->o->types == TRANSFER_TYPES_AUTO;
	auto_err struct err *first = NULL;
	int rc;

	w->types = choose ? TRANSFER_TYPES_KEEP : w->o->types;
	rc = send_content(w, &first);
	if (rc < 0 && choose && w->refused)
		rc = send_as_docker(w, first, err);
	else if (rc < 0)
		err_pass(err, &first);
	if (rc == 0)
		tell_lost(w);
	return rc;
}

int transfer_push(struct store *s, const struct image *i, const char *dest,
	const struct transfer_opts *o, struct digest *manifest, struct err **err)
{
	auto_endpoint struct endpoint to = {0};
	struct push w = {.s = s, .to = &to, .o = o, .image = i};

	if (endpoint_parse(dest, &to, err) < 0 || send_types(&w, err) < 0)
		return -1;
	*manifest = w.digest;
	return 0;
}

int transfer_push_index(struct store *s, const struct digest *index, const char *dest,
	const struct transfer_opts *o, struct digest *out, struct err **err)
{
	auto_endpoint struct endpoint to = {0};
	struct push w = {.s = s, .to = &to, .o = o, .index = index};

	if (endpoint_parse(dest, &to, err) < 0)
		return -1;
	if (!to.kind->registry)
		return err_set(err, ERR_UNSUPPORTED,
			"%s: an image of several platforms goes to registries only", dest);
	if (send_types(&w, err) < 0)
		return -1;
	*out = w.digest;
	return 0;
}

/* --- archives --------------------------------------------------------------------------------- */

int transfer_write(struct store *s, const struct transfer_item *v, size_t n,
	enum transfer_archive kind, const char *path, const struct transfer_opts *o,
	struct err **err)
{
	struct progress p;

	progress_init(&p, o);
	return transfer_ended(&p, endpoint_kind_of_archive(kind)->write(s, v, n, path, &p, err));
}

/* --- credentials ---------------------------------------------------------------------------- */

/* "https://index.docker.io/v1/" -> "docker.io". Owned; NULL when it is no host. */
static char *registry_name(const char *text, struct err **err)
{
	const char *p = text && *text ? text : "docker.io";
	const char *scheme = strstr(p, "://");
	auto_free char *host = NULL;
	auto_free char *url = NULL;
	auto_url struct url u = {0};

	p = scheme ? scheme + 3 : p;
	host = mem_strndup(p, strcspn(p, "/"));
	url = mem_printf("https://%s/", host);
	if (url_parse(url, &u, NULL) < 0 || u.has_user) {
		auto_free char *shown = fs_printable(host);
		err_set(err, ERR_USAGE, "\"%s\" is not the name of a registry", shown);
		return NULL;
	}
	if (strcmp(host, "index.docker.io") == 0 || strcmp(host, "registry-1.docker.io") == 0)
		return mem_strdup("docker.io");
	return TAKE(host);
}

static int check_login(const char *host, const char *user, const char *password, struct progress *p,
	struct err **err)
{
	const struct transfer_opts *o = p->o;
	struct registry_opts ro = {.host = host,
		.authfile = o->authfile,
		.cert_dir = o->cert_dir,
		.allow_private = o->allow_private,
		.tls_verify = o->tls_verify,
		.retries = o->retries,
		.retry_delay_ms = o->retry_delay_ms,
		.user = user,
		.password = password,
		.cancelled = o->cancelled,
		.notify = progress_retry,
		.ctx = p};
	auto_registry struct registry *r = registry_open(&ro, err);

	return r ? registry_check(r, err) : -1;
}

int transfer_login(const char *registry, const char *user, const char *password,
	const struct transfer_opts *o, struct err **err)
{
	auto_free char *host = registry_name(registry, err);
	auto_secret struct secret *secret = secret_of(password);
	struct progress p;

	if (!host)
		return -1;
	if (!user || !*user || strchr(user, ':') || !secret)
		return err_set(
			err, ERR_USAGE, "login needs a user name (without ':') and a password");
	progress_init(&p, o);
	if (transfer_ended(&p, check_login(host, user, password, &p, err)) < 0)
		return -1;
	return auth_file_store(o->authfile, host, user, secret, err);
}

int transfer_logout(const char *registry, const struct transfer_opts *o, struct err **err)
{
	auto_free char *host = registry_name(registry, err);

	return host ? auth_file_erase(o->authfile, host, err) : -1;
}
