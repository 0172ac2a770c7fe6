// SPDX-License-Identifier: Apache-2.0
#include "store/transport/backoff.h"
#include "store/transport/transfer.h"

#include <string.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/blob.h"
#include "store/imageindex.h"
#include "store/reference.h"
#include "store/tags.h"
#include "store/transport/auth_file.h"
#include "store/transport/outgoing.h"
#include "store/transport/progress.h"
#include "store/transport/pull.h"
#include "store/transport/registry.h"
#include "store/transport/url.h"

_Static_assert(TRANSFER_NO_RETRIES == BACKOFF_NONE, "handed through as it is");

enum place_kind { PLACE_REGISTRY, PLACE_OCI_DIR, PLACE_OCI_ARCHIVE, PLACE_DOCKER_ARCHIVE };

struct place {
	enum place_kind kind;
	char *path; /* the reference of a registry, else the file or directory; owned */
	char *name; /* inside; NULL = not given; owned */
};

static const struct {
	const char *prefix;
	enum place_kind kind;
} prefixes[] = {
	{"docker://", PLACE_REGISTRY},
	{"oci:", PLACE_OCI_DIR},
	{"oci-archive:", PLACE_OCI_ARCHIVE},
	{"docker-archive:", PLACE_DOCKER_ARCHIVE},
};

static void clear_place(struct place *p)
{
	free(p->path);
	free(p->name);
}
#define auto_place CLEANUP(clear_place)

bool transfer_is_local(const char *text)
{
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (strncmp(text, prefixes[i].prefix, strlen(prefixes[i].prefix)) == 0)
			return prefixes[i].kind != PLACE_REGISTRY;
	return false;
}

static int parse_place(const char *text, struct place *out, struct err **err)
{
	const char *colon;

	out->kind = PLACE_REGISTRY;
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (strncmp(text, prefixes[i].prefix, strlen(prefixes[i].prefix)) == 0) {
			out->kind = prefixes[i].kind;
			text += strlen(prefixes[i].prefix);
			break;
		}
	colon = out->kind == PLACE_REGISTRY ? NULL : strchr(text, ':');
	out->path = colon ? mem_strndup(text, (size_t)(colon - text)) : mem_strdup(text);
	out->name = colon && colon[1] ? mem_strdup(colon + 1) : NULL;
	if (*out->path == '\0')
		return err_set(err, ERR_USAGE, "no path after the name of the transport");
	return 0;
}

/* --- pull ------------------------------------------------------------------------------- */

static struct transport *open_source(
	struct store *s, const struct place *from, struct progress *p, struct err **err)
{
	auto_reference struct reference ref = {0};

	switch (from->kind) {
	case PLACE_REGISTRY:
		return reference_parse(from->path, &ref, err) < 0
			       ? NULL
			       : transport_open_registry(&ref, p, err);
	case PLACE_OCI_DIR:
		return transport_open_oci_dir(from->path, from->name, err);
	case PLACE_OCI_ARCHIVE:
		return transport_open_oci_archive(s, from->path, from->name, err);
	case PLACE_DOCKER_ARCHIVE:
		return transport_open_docker_archive(s, from->path, from->name, err);
	}
	return NULL;
}

/* Full normalised names to give to the image: the caller's, or those inside that are valid ones. */
static void names_for(const struct transport *t, const char *name, struct strlist *out)
{
	if (name && !*name)
		return;
	for (size_t i = 0; i < (name ? 1 : t->names.n); i++) {
		auto_reference struct reference r = {0};
		auto_free char *full = NULL;

		if (reference_parse(name ? name : t->names.v[i], &r, NULL) < 0)
			continue;
		full = reference_text(&r);
		if (!strlist_has(out, full))
			strlist_add(out, full);
	}
}

static int tag(struct store *s, const struct transport *t, const char *name,
	const struct oci_descriptor *d, struct err **err)
{
	auto_strlist struct strlist names = {0};
	auto_free const char **v = NULL;

	names_for(t, name, &names);
	if (names.n == 0)
		return 0;
	v = mem_array(names.n, sizeof *v);
	for (size_t i = 0; i < names.n; i++)
		v[i] = names.v[i];
	return tags_set(s, v, names.n, d, err);
}

/* Every image of an index that the source has; local places may hold some of them only. */
static int pull_children(struct store *s, struct transport *t, const struct oci_index *x,
	struct progress *p, struct err **err)
{
	const struct transfer_opts *all = p->o;
	struct transfer_opts one = *all;
	size_t n = 0;
	int rc = 0;

	p->o = &one;
	for (size_t i = 0; i < x->nmanifests && rc == 0; i++) {
		const struct oci_descriptor *entry = &x->manifests[i];
		auto_oci_descriptor struct oci_descriptor d = {0};
		struct err *e = NULL;

		if (!entry->has_platform || !entry->platform.os ||
			strcmp(entry->platform.os, "unknown") == 0)
			continue;
		one.platform = &entry->platform;
		rc = pull_image(s, t, p, &d, &e);
		n += rc == 0;
		if (rc < 0 && err_get_kind(e) == ERR_NOT_FOUND && !t->remote) {
			rc = 0;
			err_free(e);
		} else if (rc < 0 && err) {
			*err = e;
		} else {
			err_free(e);
		}
	}
	p->o = all;
	return n || rc < 0 ? rc
			   : err_set(err, ERR_NOT_FOUND, "%s: the index, but none of its images",
				     t->label);
}

static int pull_all(struct store *s, struct transport *t, struct progress *p,
	struct oci_descriptor *d, struct err **err)
{
	auto_oci_index struct oci_index x = {0};
	auto_free char *type = NULL;
	auto_buf struct buf body;

	buf_init(&body, OCI_MANIFEST_MAX);
	if (t->ops->manifest(t, NULL, &body, &type, err) < 0)
		return -1;
	int index = oci_is_index(body.data, body.len, type, err);
	if (index < 0)
		return err_prefix(err, "%s", t->label);
	if (!index)
		return pull_image(s, t, p, d, err);
	if (oci_index_parse(body.data, body.len, type, &x, err) < 0)
		return err_prefix(err, "%s", t->label);
	if (pull_children(s, t, &x, p, err) < 0 ||
		blob_put(s, body.data, body.len, &d->digest, err) < 0)
		return -1;
	d->size = body.len;
	d->media_type = mem_strdup(x.media_type ? x.media_type : OCI_MEDIA_INDEX);
	return 0;
}

static int pull(struct store *s, const char *source, const char *name, bool all, struct progress *p,
	struct oci_descriptor *d, struct err **err)
{
	auto_place struct place from = {0};
	auto_transport struct transport *t = NULL;
	auto_reference struct reference check = {0};

	if (parse_place(source, &from, err) < 0 ||
		(name && *name && reference_parse(name, &check, err) < 0))
		return -1;
	t = open_source(s, &from, p, err);
	if (!t || (all ? pull_all : pull_image)(s, t, p, d, err) < 0 || progress_check(p, err) < 0)
		return -1;
	return tag(s, t, name, d, err);
}

static int ended(struct progress *p, int rc)
{
	progress_clear(p);
	return rc;
}

static int pull_from(struct store *s, const char *source, const char *name, bool all,
	const struct transfer_opts *o, struct digest *manifest, struct err **err)
{
	struct oci_descriptor d = {0};
	struct progress p;
	int rc;

	progress_init(&p, o);
	rc = pull(s, source, name, all, &p, &d, err);
	if (rc == 0)
		*manifest = d.digest;
	oci_descriptor_clear(&d);
	return ended(&p, rc);
}

int transfer_pull(struct store *s, const char *source, const char *name,
	const struct transfer_opts *o, struct digest *manifest, struct err **err)
{
	return pull_from(s, source, name, false, o, manifest, err);
}

int transfer_pull_all(struct store *s, const char *source, const char *name,
	const struct transfer_opts *o, struct digest *out, struct err **err)
{
	return pull_from(s, source, name, true, o, out, err);
}

int transfer_resolve(
	const char *source, const struct transfer_opts *o, struct digest *out, struct err **err)
{
	auto_place struct place from = {0};
	auto_reference struct reference ref = {0};
	auto_registry struct registry *r = NULL;
	struct progress p;
	struct registry_opts ro = {.authfile = o->authfile,
		.cert_dir = o->cert_dir,
		.tls_verify = o->tls_verify,
		.retries = o->retries,
		.retry_delay_ms = o->retry_delay_ms,
		.user = o->user,
		.password = o->password,
		.cancelled = o->cancelled,
		.notify = progress_retry,
		.ctx = &p};
	char hex[DIGEST_STRING];

	if (parse_place(source, &from, err) < 0)
		return -1;
	if (from.kind != PLACE_REGISTRY)
		return err_set(err, ERR_USAGE, "%s: not a name in a registry", from.path);
	if (reference_parse(from.path, &ref, err) < 0)
		return -1;
	ro.host = ref.host;
	ro.path = ref.path;
	progress_init(&p, o);
	r = registry_open(&ro, err);
	if (!r)
		return ended(&p, -1);
	return ended(
		&p, registry_resolve(r, ref.has_digest ? sha256_string(&ref.digest, hex) : ref.tag,
			    out, err));
}

int transfer_document(struct store *s, const char *source, const struct transfer_opts *o,
	struct buf *body, char **media_type, struct err **err)
{
	auto_place struct place from = {0};
	auto_transport struct transport *t = NULL;
	struct progress p;
	int rc = -1;

	if (parse_place(source, &from, err) < 0)
		return -1;
	if (from.kind == PLACE_DOCKER_ARCHIVE)
		return err_set(
			err, ERR_UNSUPPORTED, "%s: a docker-archive has no manifest", source);
	progress_init(&p, o);
	t = open_source(s, &from, &p, err);
	if (t)
		rc = t->ops->manifest(t, NULL, body, media_type, err);
	return ended(&p, rc);
}

/* --- push ------------------------------------------------------------------------------- */

static int send_set(struct outgoing_set *set, const struct place *to, struct err **err)
{
	return to->kind == PLACE_OCI_DIR ? transport_to_oci_dir(set, to->path, to->name, err)
					 : transport_to_oci_archive(set, to->path, to->name, err);
}

static int send(struct outgoing *o, const struct place *to, struct err **err)
{
	auto_reference struct reference ref = {0};
	struct outgoing_set set = {.s = o->s, .p = o->p, .top = &o->d};
	int rc;

	switch (to->kind) {
	case PLACE_REGISTRY:
		return reference_parse(to->path, &ref, err) < 0
			       ? -1
			       : transport_to_registry(o, &ref, err);
	case PLACE_OCI_DIR:
	case PLACE_OCI_ARCHIVE:
		if (outgoing_prepare(o, 2, NULL, err) < 0)
			return -1;
		rc = outgoing_add(o, &set, err);
		if (rc == 0)
			rc = send_set(&set, to, err);
		outgoing_set_clear(&set);
		return rc;
	case PLACE_DOCKER_ARCHIVE:
		return transport_to_docker_archive(o, to->path, to->name, err);
	}
	return -1;
}

static int send_to(struct store *s, const struct image *i, const struct place *to,
	const struct transfer_opts *o, struct digest *manifest, struct err **err)
{
	struct progress p;
	struct outgoing out = {
		.s = s, .image = i, .p = &p, .packing = o->packing, .repack = o->repack};
	int rc;

	progress_init(&p, o);
	rc = send(&out, to, err);
	if (rc == 0)
		*manifest = out.d.digest;
	outgoing_clear(&out);
	return ended(&p, rc);
}

int transfer_push(struct store *s, const struct image *i, const char *dest,
	const struct transfer_opts *o, struct digest *manifest, struct err **err)
{
	auto_place struct place to = {0};

	if (parse_place(dest, &to, err) < 0)
		return -1;
	return send_to(s, i, &to, o, manifest, err);
}

/* One image of an index: the destination may know it by another digest. */
static int send_child(struct store *s, const struct place *to, const struct transfer_opts *o,
	struct oci_descriptor *d, struct err **err)
{
	auto_image struct image i = {0};
	struct progress p;

	if (image_open_manifest(s, &d->digest, &i, err) < 0)
		return -1;
	struct outgoing out = {.s = s,
		.image = &i,
		.p = &p,
		.packing = o->packing,
		.repack = o->repack,
		.by_digest = true};
	progress_init(&p, o);
	int rc = send(&out, to, err);
	if (rc == 0) {
		d->digest = out.d.digest;
		d->size = out.d.size;
	}
	outgoing_clear(&out);
	return ended(&p, rc);
}

int transfer_push_index(struct store *s, const struct digest *index, const char *dest,
	const struct transfer_opts *o, struct digest *out, struct err **err)
{
	auto_place struct place to = {0};
	auto_reference struct reference ref = {0};
	auto_oci_index struct oci_index x = {0};
	struct progress p;
	size_t n;

	if (parse_place(dest, &to, err) < 0)
		return -1;
	if (to.kind != PLACE_REGISTRY)
		return err_set(err, ERR_UNSUPPORTED,
			"%s: an image of several platforms goes to registries only", dest);
	auto_free char *text = blob_read(s, index, OCI_MANIFEST_MAX, &n, err);
	if (!text || oci_index_parse(text, n, NULL, &x, err) < 0 ||
		reference_parse(to.path, &ref, err) < 0)
		return -1;
	for (size_t i = 0; i < x.nmanifests; i++)
		if (send_child(s, &to, o, &x.manifests[i], err) < 0)
			return -1;
	auto_free char *bytes = oci_index_dump(&x, &n);
	progress_init(&p, o);
	int rc = transport_index_to_registry(&p, &ref, bytes, n, x.media_type, err);
	sha256_of(bytes, n, out);
	return ended(&p, rc);
}

static const enum place_kind kinds[] = {
	[TRANSFER_OCI_DIR] = PLACE_OCI_DIR,
	[TRANSFER_OCI_ARCHIVE] = PLACE_OCI_ARCHIVE,
	[TRANSFER_DOCKER_ARCHIVE] = PLACE_DOCKER_ARCHIVE,
};

int transfer_write(struct store *s, const struct image *i, enum transfer_archive kind,
	const char *path, const char *name, const struct transfer_opts *o, struct digest *manifest,
	struct err **err)
{
	auto_place struct place to = {.kind = kinds[kind],
		.path = mem_strdup(path),
		.name = name ? mem_strdup(name) : NULL};

	return send_to(s, i, &to, o, manifest, err);
}

/* The images of an index on their way into one layout. */
struct family {
	struct oci_index x;
	struct image *images; /* owned; one per entry, as are */
	struct outgoing *outs;
	size_t n; /* so many of both */
	struct oci_descriptor top;
	struct outgoing_set set;
};

static void family_clear(struct family *f)
{
	outgoing_set_clear(&f->set);
	for (size_t i = 0; i < f->n; i++) {
		outgoing_clear(&f->outs[i]);
		image_clear(&f->images[i]);
	}
	free(f->outs);
	free(f->images);
	oci_descriptor_clear(&f->top);
	oci_index_clear(&f->x);
}
#define auto_family CLEANUP(family_clear)

/* Layers get their form for the outside, and with them the manifests; so does the index. */
static int prepare_family(struct family *f, struct store *s, const struct digest *index,
	struct progress *p, struct err **err)
{
	if (imageindex_read(s, index, &f->x, err) < 0)
		return -1;
	f->images = mem_alloc((f->x.nmanifests + 1) * sizeof *f->images);
	f->outs = mem_alloc((f->x.nmanifests + 1) * sizeof *f->outs);
	f->set = (struct outgoing_set){.s = s, .p = p, .top = &f->top};
	for (size_t i = 0; i < f->x.nmanifests; i++) {
		struct oci_descriptor *d = &f->x.manifests[i];
		struct outgoing *o = &f->outs[i];

		if (image_open_manifest(s, &d->digest, &f->images[i], err) < 0)
			return err_hint(err, "\"bld pull --platform\" fetches one image of it");
		f->n++;
		*o = (struct outgoing){.s = s,
			.image = &f->images[i],
			.p = p,
			.packing = p->o->packing,
			.repack = p->o->repack};
		if (outgoing_prepare(o, 2, NULL, err) < 0 || outgoing_add(o, &f->set, err) < 0)
			return -1;
		d->digest = o->d.digest;
		d->size = o->d.size;
	}
	if (imageindex_write(s, &f->x, &f->top, err) < 0)
		return -1;
	MEM_PUSH(f->set.v, f->set.n, f->set.cap) = &f->top;
	return 0;
}

int transfer_write_index(struct store *s, const struct oci_descriptor *index,
	enum transfer_archive kind, const char *path, const char *name,
	const struct transfer_opts *o, struct digest *out, struct err **err)
{
	auto_place struct place to = {.kind = kinds[kind],
		.path = mem_strdup(path),
		.name = name ? mem_strdup(name) : NULL};
	auto_family struct family f = {.n = 0};
	struct progress p;
	int rc;

	if (kind == TRANSFER_DOCKER_ARCHIVE)
		return err_set(
			err, ERR_UNSUPPORTED, "a docker-archive holds images of one platform");
	progress_init(&p, o);
	rc = prepare_family(&f, s, &index->digest, &p, err);
	if (rc == 0) {
		strlist_copy(&f.top.annotations, &index->annotations);
		*out = f.top.digest;
		rc = send_set(&f.set, &to, err);
	}
	return ended(&p, rc);
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
	if (ended(&p, check_login(host, user, password, &p, err)) < 0)
		return -1;
	return auth_file_store(o->authfile, host, user, secret, err);
}

int transfer_logout(const char *registry, const struct transfer_opts *o, struct err **err)
{
	auto_free char *host = registry_name(registry, err);

	return host ? auth_file_erase(o->authfile, host, err) : -1;
}
