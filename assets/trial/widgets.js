/**
 * The widgets of one trial.
 *
 * task: {affect_grid}; specs: the scales that this trial asks, in order (an instructed check asks one).
 * scales: one per spec, in order; steps: the scales that appear together where they are asked one by one;
 * roots: the nodes to put on the page, in order (an affect grid is one node with two scales).
 */
function panel(task, specs, view) {
  const scales = specs.map((spec) => new (spec.kind === "vas" ? Line : Choice)(spec, view));
  return { scales, steps: scales.map((scale) => [scale]), roots: scales.map(({ root }) => root) };
}
