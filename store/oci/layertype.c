// SPDX-License-Identifier: Apache-2.0
/* A row for each compression, twice: as registries keep it, and foreign. */
#include "store/oci/layertype.h"

#include <string.h>

#include "store/base/mem.h"
#include "store/oci/oci.h"

static const struct layertype rows[] = {
	{LAYER_PLAIN, false, OCI_MEDIA_LAYER, "application/vnd.docker.image.rootfs.diff.tar", NULL},
	{LAYER_GZIP, false, OCI_MEDIA_LAYER_GZIP, OCI_MEDIA_DOCKER_LAYER_GZIP, NULL},
	{LAYER_ZSTD, false, "application/vnd.oci.image.layer.v1.tar+zstd", NULL,
		"application/vnd.docker.image.rootfs.diff.tar.zstd"},
	{LAYER_PLAIN, true, "application/vnd.oci.image.layer.nondistributable.v1.tar",
		"application/vnd.docker.image.rootfs.foreign.diff.tar", NULL},
	{LAYER_GZIP, true, "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
		"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", NULL},
	{LAYER_ZSTD, true, "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", NULL,
		NULL},
};

static bool layertype_is(const char *type, const char *name)
{
	return name && strcmp(type, name) == 0;
}

const struct layertype *layertype_find(const char *media_type)
{
	for (size_t i = 0; media_type && i < ARRAY_LEN(rows); i++)
		if (layertype_is(media_type, rows[i].oci) ||
			layertype_is(media_type, rows[i].docker) ||
			layertype_is(media_type, rows[i].stray))
			return &rows[i];
	return NULL;
}

const struct layertype *layertype_of(enum layer_compression c)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].compression == c && !rows[i].foreign)
			return &rows[i];
	return NULL;
}

bool layertype_docker_lacks(const char *media_type)
{
	const struct layertype *t = layertype_find(media_type);

	return t && !t->foreign && !t->docker && strcmp(media_type, t->oci) == 0;
}
