"""What each number of the page about identity means."""

HEADLINE = """
A model turns each face into a direction; the **similarity** of two faces is the cosine between theirs.
Cosines of two models are not comparable, so each is judged by its own two distributions:

- **within**: pairs of one identity; **impostors**: pairs of two. *Matched* impostors share gender, ethnicity
  and age group as far as the manifest names them; unmatched ones are easier to tell apart.
- **d′** $= (m_w - m_b) / \\sqrt{(v_w + v_b) / 2}$: how many standard deviations apart.
- **AUC**: how often a within pair is more similar than an impostor pair; 1 is perfect, .5 chance.
- **EER**: the rate of errors where false matches are as many as false non-matches; 0 is perfect.

95 % intervals resample identities 1,000 times. None with fewer than 5 identities, nor for AUC and EER
where nothing overlaps: that is no certainty.

Green & Swets (1966), *Signal Detection Theory and Psychophysics*; Hanley & McNeil (1982), *Radiology* 143,
29-36.
"""

EDITS = """
Each edit beside its reference and the nearest neutral of another identity, the most doubtful first: those
whose nearest other neutral is closest, or closer than their own.

- **percentile**: the share of impostor pairs that are less similar than this edit and its reference.
- **margin**: its similarity minus that with the nearest other neutral; **rank 1**: is the margin above 0?
- **Verdict**: is the cosine distance within the threshold that the model's authors, or DeepFace, give? It was
  tuned on other data, pairs of photographs of celebrities, and is shown for completeness only.

A similarity near 1 may mean that the edit did nothing: look at its intensity as well.
"""

ROBUSTNESS = """
Do the models order the edits alike by their similarity to the reference? **Spearman's ρ** of each two models,
their mean, and **Kendall's W** of all: 1 is the same order, 0 none in common. What only one model says of an
edit may be about the model.

Spearman (1904), *American Journal of Psychology* 15, 72-101; Kendall & Babington Smith (1939), *Annals of
Mathematical Statistics* 10, 275-287.
"""

INTENSITY = """
Each point is one edit: how intense a model finds its expression, against its similarity to the reference.
A faithful edit with an expression lies to the upper right. The upper left did little; the lower left changed
the person without the expression.
"""

YARDSTICK = (
    "This study names no reference set of real faces. What the same models make of real people is not known "
    "here, so read these numbers as a comparison within this set. To name one, write 'yardsticks:' into the "
    "study file and load it again (docs/studies.md)."
)
KINDS = {
    "reference": "its reference",
    "edited_neutral": "the edited neutral",
    "all_pairs": "all pairs of an identity",
}
