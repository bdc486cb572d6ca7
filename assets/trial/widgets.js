/**
 * The widgets of one trial.
 *
 * task: {affect_grid}; specs: the scales that this trial asks, in order (an instructed check asks one).
 * scales: one per spec, in order; steps: the scales that appear together where they are asked one by one;
 * roots: the nodes to put on the page, in order (an affect grid is one node with two scales).
 */
function panel(task, specs, view) {
  const grid = task.affect_grid && specs.length > 1 ? new Grid(specs.slice(0, 2), view) : null;
  const single = specs.slice(grid ? 2 : 0).map((spec) => widget(spec, view));
  const steps = [...(grid ? [grid.scales] : []), ...single.map((scale) => [scale])];
  return { scales: steps.flat(), steps, roots: steps.map(([scale]) => scale.root) };
}

function widget(spec, view) {
  if (spec.kind === "vas") return new Line(spec, view);
  return spec.look === "plain" ? new Choice(spec, view) : new Manikins(spec, view);
}
