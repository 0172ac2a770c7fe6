// SPDX-License-Identifier: Apache-2.0
/*
 * BLD_LAYER_FORM, for tests and for machines where the choice goes wrong. A wrong word is a wrong
 * command line, though no option is involved.
 */
#include "builder/cli/layerform.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/cleanup.h"
#include "store/base/fs.h"

int layerform_take(enum build_layer_form *out, struct err **err)
{
	static const char *const names[] = {
		[BUILD_FORM_AUTO] = "auto",
		[BUILD_FORM_DIRECTORY] = "directory",
		[BUILD_FORM_EROFS] = "index",
	};
	const char *value = getenv("BLD_LAYER_FORM");

	*out = BUILD_FORM_AUTO;
	if (!value || !*value)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(value, names[i]) == 0) {
			*out = (enum build_layer_form)i;
			return 0;
		}
	}
	auto_free char *shown = fs_printable(value);
	err_set(err, ERR_USAGE, "BLD_LAYER_FORM: no layer form \"%s\"", shown);
	return err_hint(err, "auto, directory or index");
}
