"""What each number of the dashboard means, how it is computed, and who says so."""

FLOW = """
**Openings of the page** counts how often a browser showed the welcome page: neither people nor invitations.
One person may count several times: for the link, for each reload or change of language, and when Begin leads
back to the page. **Declined** counts presses of that button and nothing else; its share is of openings.
**Consented and began** are sessions that pressed Begin; **finished** means that the server has acknowledged
every answer.

Of those who began and did not finish, **under way** gave a sign of life lately, **left** have been silent for
as long as the study's `trials.places_return_min` says, **stopped** pressed Stop, and **screened out** did not
pass the practice. **Came when full** pressed Begin when nobody was needed any more, and **deleted** are
sessions that were erased: of both there is only the number.

Simulated participants open no page and are counted apart. Answers of sessions that ended half-way count
below, unless they are excluded. Each task set has answers of its own, so that scales differ in n.
"""

SAME_PERSON = """
Two faces side by side, rated from certainly different people to certainly the same person. **One person** are
pairs of a neutral with an edit of it; **two people** are foils, a neutral with another person's edit. The
further the two distributions lie apart, the better the edits keep identity. Norms per stimulus rest on pairs
of one person alone.
"""

CONFUSION = """
Each row is what the face should show (or what people saw); the shares of a row add up to 100 %.
Outlined cells are agreements. “Other” counts in its row and is never a hit.

- **H**, hit rate: $H = n_{ii} / R_i$, with Wilson's 95 % interval over ratings.
- **Hu**, unbiased hit rate: $H_u = n_{ii}^2 / (R_i C_i)$ also counts how often a label was used at all; a
  label that nobody used has $H_u = 0$ by convention.
- **By chance**: $\\sum_i R_i C_i / N^2$ would be on the diagonal if answers did not depend on faces.
- **Shared only**: labels that one side does not have are left out, rows are renormalised.

Wagner (1993), *Journal of Nonverbal Behavior* 17, 3-28; Wilson (1927), *JASA* 22, 209-212.
"""

RELIABILITY = """
**Krippendorff's alpha** is $1 - D_o / D_e$: 1 is perfect agreement, 0 is what chance gives, below 0 is
systematic disagreement. Differences count as the scale allows: *nominal* for a choice, *ordinal* for a
Likert scale, *interval* for a slider. A stimulus with a single rating is left out. The 95 % interval
resamples stimuli 1,000 times with a fixed seed.

Krippendorff (2019), *Content Analysis*, 4th edition, chapter 12.
"""

HUMAN_AI = """
Each point is one stimulus: the mean of people's answers against the model's value. Where a scale does not
apply to some answers (the intensity of a face that somebody found neutral), the mean is of the others alone,
however few; n is shown with the face.

- **Spearman's rank correlation** asks only whether both order the faces alike; interval by
  Bonett & Wright (2000).
- **CCC**, Lin's concordance, and **bias** (model - people) ask whether the values are the same. They are
  given only where people and model declare the same units and the same zero.

Lin (1989), *Biometrics* 45, 255-268; Bland & Altman (1986), *Lancet* 327, 307-310.
"""

NORMS = """
**H** is the share of people who chose the intended emotion, with Wilson's 95 % interval; **mode** is the
label chosen most, “(tie)” where another was chosen as often. **M** is the mean in raw scale points, **n** the
number of answers. “Not applicable” (the intensity of no emotion) is never counted as 0.
The export has standard deviations, intervals, medians and every proportion.
"""

YARDSTICK = """
Each row is one rater on one set of faces: the study's own, and the sets of real faces that the study names
under `yardsticks`. A low accuracy on the study's faces alone speaks against the faces; a low one on both,
against the model.

- **Accuracy**: the share of pictures whose intended emotion is the rater's own answer, among all that it
  can answer; Wilson's 95 % interval, pictures as independent. **Balanced**: the mean over emotions, so that
  it does not depend on how many pictures of each there are. **By guessing**: evenly among the rater's
  answers.
- **No answer**: pictures without a face or on which the rater abstains; they are no misses.
- **Confidence**: the mean probability that the rater gives to its own answer; **overconfidence**: that
  minus the accuracy. **ECE**, expected calibration error: confidence and accuracy are compared in 10 bins
  of confidence; above 0 even for a perfect rater, the more so in small sets. **Brier score**: the mean
  squared distance of the probabilities from the intended emotion; 0 is certain and right, 2 certain and
  wrong. Their 95 % intervals resample identities 1,000 times; none with fewer than 5 identities.

Brier (1950), *Monthly Weather Review* 78, 1-3; Naeini, Cooper & Hauskrecht (2015), *AAAI Conference on
Artificial Intelligence*, 2901-2907.
"""

YARDSTICK_IDENTITY = """
The same models on the sets of real faces that the study names under `yardsticks`, each set by its own
pairs. In photographs an “edit” is a picture of somebody with an expression, its reference their neutral
photograph: how far an expression alone moves a face, without any editing. Where a set has no neutrals, all
pairs are compared, of the study as well.

**Mean of impostors** far above that of real people: the study's identities are more alike than people are.
Compare matched impostors with matched ones, all with all.
"""
