/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/build/graph.h"

#include <stdlib.h>

const char *xb_action_verb(enum xb_action_kind kind)
{
	static const char *const verbs[] = {"CC", "CXX", "CPP", "AS", "AR", "LINK", "DEBUG", "STRIP", "BUILD", "TAKE"};

	return verbs[kind];
}

void xb_graph_free(struct xb_graph *graph)
{
	if (!graph)
		return;
	struct xb_arena arena = graph->arena; /* holds the graph's own parts; the graph itself is a separate block */

	free(graph);
	xb_arena_release(&arena);
}

const char *xb_action_label(const struct xb_action *action, struct xb_arena *arena)
{
	const bool compiles = action->source && !action->source_is_made;

	if (action->variant->kind == XB_ACTION_FOREIGN)
		return xb_arena_printf(arena, "%s %s (%s)", xb_action_verb(action->variant->kind),
				       action->variant->unit->name, xb_driver_key(action->variant->unit->driver));
	return xb_arena_printf(arena, "%s %s", xb_action_verb(action->variant->kind),
			       compiles ? action->source : action->output);
}

void xb_action_files(const struct xb_action *action, struct xb_arena *arena, struct xb_command_files *out)
{
	const char **inputs = xb_arena_array(arena, action->n_inputs, sizeof(*inputs));

	size_t n = 0;

	/* a staging tree is there to be searched; it stands on no command line */
	for (size_t i = 0; i < action->n_inputs; i++)
		if (action->inputs[i]->variant->kind != XB_ACTION_FOREIGN)
			inputs[n++] = action->inputs[i]->output;
	*out = (struct xb_command_files){
		.source = action->source,
		.output = action->output,
		.depfile = action->variant->has_depfile ? xb_arena_printf(arena, "%s.d", action->output) : NULL,
		.inputs = inputs,
		.n_inputs = n,
	};
}
