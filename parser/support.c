// SPDX-License-Identifier: Apache-2.0
#include "parser/support.h"

static const struct {
	const char *what;
	bool supported;
} features[] = {
	[SUPPORT_MOUNT_BIND] = {"RUN --mount=type=bind", true},
	[SUPPORT_MOUNT_CACHE] = {"RUN --mount=type=cache", true},
	[SUPPORT_MOUNT_TMPFS] = {"RUN --mount=type=tmpfs", true},
	[SUPPORT_MOUNT_SECRET] = {"RUN --mount=type=secret", true},
	[SUPPORT_MOUNT_SSH] = {"RUN --mount=type=ssh", true},
	[SUPPORT_MOUNT_SEED] = {"RUN --mount=type=cache with from= or source=", true},
	[SUPPORT_FROM_VARIABLE] = {"a variable in the name of a stage or image to copy from", true},
	[SUPPORT_ONBUILD_FROM] = {"ONBUILD with --from or from=", true},
	[SUPPORT_SYMBOLIC_CHMOD] = {"a symbolic mode in --chmod", true},
	[SUPPORT_ADD_GIT] = {"ADD of a git repository", true},
};

bool support_check(struct build *b, enum support feature, struct span span)
{
	if (!features[feature].supported)
		build_error(b, "not-supported", span, "%s is not supported yet",
			features[feature].what);
	return features[feature].supported;
}
