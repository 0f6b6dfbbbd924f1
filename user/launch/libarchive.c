/* SPDX-License-Identifier: GPL-2.0-only */
#include "launch/libarchive.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "libarchive_soname.h"

#define LIBARCHIVE_SYMBOL(name) {"archive_" #name, offsetof(struct libarchive, name)},

static const struct libarchive_symbol {
	const char *name;
	size_t offset;
} libarchive_symbols[] = {LIBARCHIVE_FUNCTIONS(LIBARCHIVE_SYMBOL)};

struct libarchive libarchive;

static bool libarchive_find(void *library, struct libarchive *found)
{
	for (size_t i = 0; i < ARRAY_SIZE(libarchive_symbols); i++) {
		const struct libarchive_symbol *symbol = &libarchive_symbols[i];
		void *address = dlsym(library, symbol->name);

		if (!address)
			return false;
		memcpy((char *)found + symbol->offset, &address, sizeof(address));
	}
	return true;
}

const char *libarchive_load(void)
{
	static char why[1024];
	struct libarchive found;
	void *library;

	if (libarchive.read_new)
		return NULL;
	library = dlopen(LIBARCHIVE_SONAME, RTLD_NOW | RTLD_LOCAL);
	if (library && libarchive_find(library, &found)) {
		libarchive = found;
		return NULL;
	}
	snprintf(why, sizeof(why),
		 "loading " LIBARCHIVE_SONAME " failed (%s): install libarchive (Debian: "
		 "libarchive13), or unpack the image and give --rootfs DIR",
		 dlerror());
	if (library)
		dlclose(library);
	return why;
}
