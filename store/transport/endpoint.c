// SPDX-License-Identifier: Apache-2.0
/* The table of transports, and small functions that give their readers and writers one shape. */
#include "store/transport/endpoint.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"
#include "store/image.h"
#include "store/reference.h"
#include "store/transport/archives.h"

/* --- a registry ------------------------------------------------------------------------------- */

static struct transport *registry_read(
	struct store *s, const struct endpoint *from, struct progress *p, struct err **err)
{
	auto_reference struct reference ref = {0};

	(void)s;
	return reference_parse(from->path, &ref, err) < 0 ? NULL
							  : transport_open_registry(&ref, p, err);
}

static int registry_send(struct outgoing *o, const struct endpoint *to, struct err **err)
{
	auto_reference struct reference ref = {0};

	return reference_parse(to->path, &ref, err) < 0 ? -1 : transport_to_registry(o, &ref, err);
}

/* --- OCI layouts ------------------------------------------------------------------------------ */

static struct transport *endpoint_dir_open(
	struct store *s, const struct endpoint *from, struct progress *p, struct err **err)
{
	(void)s;
	(void)p;
	return transport_open_oci_dir(from->path, from->name, err);
}

static struct transport *endpoint_archive_open(
	struct store *s, const struct endpoint *from, struct progress *p, struct err **err)
{
	(void)p;
	return transport_open_oci_archive(s, from->path, from->name, err);
}

static int dir_put(struct outgoing_set *set, const char *path, struct err **err)
{
	return transport_to_oci_dir(set, path, err);
}

static int send_layout(struct outgoing *o, const struct endpoint *to,
	int (*put)(struct outgoing_set *set, const char *path, struct err **err), struct err **err)
{
	struct outgoing_set set = {.s = o->s, .p = o->p};
	int rc;

	if (outgoing_prepare(o, 2, NULL, err) < 0)
		return -1;
	MEM_PUSH(set.tops, set.ntops, set.tops_cap) = (struct outgoing_name){&o->d, to->name};
	rc = outgoing_add(o, &set, err);
	if (rc == 0)
		rc = put(&set, to->path, err);
	outgoing_set_clear(&set);
	return rc;
}

static int dir_send(struct outgoing *o, const struct endpoint *to, struct err **err)
{
	return send_layout(o, to, dir_put, err);
}

static int archive_send(struct outgoing *o, const struct endpoint *to, struct err **err)
{
	return send_layout(o, to, transport_to_oci_archive, err);
}

static int dir_write(struct store *s, const struct transfer_item *v, size_t n, const char *path,
	struct progress *p, struct err **err)
{
	return archives_write_layout(s, v, n, dir_put, path, p, err);
}

static int endpoint_archive_write(struct store *s, const struct transfer_item *v, size_t n,
	const char *path, struct progress *p, struct err **err)
{
	return archives_write_layout(s, v, n, transport_to_oci_archive, path, p, err);
}

/* --- docker-archive --------------------------------------------------------------------------- */

static struct transport *docker_open(
	struct store *s, const struct endpoint *from, struct progress *p, struct err **err)
{
	(void)p;
	return transport_open_docker_archive(s, from->path, from->name, err);
}

static int docker_send(struct outgoing *o, const struct endpoint *to, struct err **err)
{
	const struct docker_image one = {o->image, to->name ? to->name : o->image->name};

	o->d.digest = o->image->manifest_digest;
	return transport_to_docker_archive(o->s, o->p, &one, 1, to->path, err);
}

/* --- the table -------------------------------------------------------------------------------- */

static const struct endpoint_kind kinds[] = {
	{.prefix = "docker://", .registry = true, .open = registry_read, .send = registry_send},
	{.prefix = "oci:",
		.archive = TRANSFER_OCI_DIR,
		.open = endpoint_dir_open,
		.send = dir_send,
		.write = dir_write},
	{.prefix = "oci-archive:",
		.archive = TRANSFER_OCI_ARCHIVE,
		.open = endpoint_archive_open,
		.send = archive_send,
		.write = endpoint_archive_write},
	{.prefix = "docker-archive:",
		.archive = TRANSFER_DOCKER_ARCHIVE,
		.no_manifest = true,
		.open = docker_open,
		.send = docker_send,
		.write = archives_write_docker},
};

const struct endpoint_kind *endpoint_kind_of(const char *text)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strncmp(text, kinds[i].prefix, strlen(kinds[i].prefix)) == 0)
			return &kinds[i];
	return NULL;
}

const struct endpoint_kind *endpoint_kind_of_archive(enum transfer_archive archive)
{
	size_t i = 0;

	while (kinds[i].registry || kinds[i].archive != archive)
		i++;
	return &kinds[i];
}

int endpoint_parse(const char *text, struct endpoint *out, struct err **err)
{
	const struct endpoint_kind *kind = endpoint_kind_of(text);
	const char *path = kind ? text + strlen(kind->prefix) : text;

	out->kind = kind ? kind : &kinds[0];
	const char *colon = out->kind->registry ? NULL : strchr(path, ':');
	out->path = colon ? mem_strndup(path, (size_t)(colon - path)) : mem_strdup(path);
	out->name = colon && colon[1] ? mem_strdup(colon + 1) : NULL;
	if (*out->path == '\0')
		return err_set(err, ERR_USAGE, "no path after the name of the transport");
	return 0;
}

void endpoint_clear(struct endpoint *p)
{
	free(p->path);
	free(p->name);
}
