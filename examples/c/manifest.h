/* Is a SavedModel folder as it was written? Every file against assets.extra/manifest.json. */

#ifndef KSEQ_MANIFEST_H
#define KSEQ_MANIFEST_H

#include <stddef.h>

/* Compare size and SHA-256 of every file with the manifest, in both directions.

   Returns 1 where all agree; otherwise 0, with a sentence that names the first file that does not in `problem`. */
int manifest_check(const char *folder, char *problem, size_t size);

#endif
