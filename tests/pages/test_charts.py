import cv2
import numpy as np
import pytest

from pages.ui import charts

ROWS = ("angry", "happy", "neutral")
COLUMNS = ("angry", "happy", "fear", "neutral", "other")
COUNTS = np.array([[8, 0, 1, 1, 0], [0, 10, 0, 0, 0], [0, 0, 0, 0, 0]], dtype=float)
PROPORTIONS = np.array([[0.8, 0, 0.1, 0.1, 0], [0, 1, 0, 0, 0], [np.nan] * 5])


def matrix(**how):
    return charts.confusion(
        COUNTS, PROPORTIONS, rows=ROWS, columns=COLUMNS, titles=("intended", "perceived"), **how
    )


def lab(colours):
    rgb = np.array([[[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in colours]], dtype=np.float32)
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)[0]


@pytest.mark.parametrize("dark", [False, True])
def test_scale_steps_are_even_in_cie_lightness_as_opencv_computes_it(dark):
    lightness = lab([colour for _, colour in charts.proportions_scale(dark=dark)])[:, 0]
    steps = np.diff(lightness)
    # Within 0.5 L*: rounding to 8 bits and the edge of the sRGB gamut.
    assert np.allclose(steps, steps.mean(), atol=0.5)
    assert abs(lightness[-1] - lightness[0]) > 70


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("proportion", np.linspace(0, 1, 9))
def test_annotations_keep_the_contrast_that_wcag_asks_of_small_text(dark, proportion):
    background = dict(charts.proportions_scale(dark=dark))[proportion]
    ink = charts.ink_on(proportion, dark=dark)
    dimmer, brighter = sorted(map(charts._luminance, (background, ink)))
    assert (brighter + 0.05) / (dimmer + 0.05) >= 4.5


def test_luminance_of_pure_colours_is_that_of_wcag_2_1():
    assert charts._luminance("#ffffff") == pytest.approx(1)
    assert charts._luminance("#ff0000") == pytest.approx(0.2126)


def test_matrix_keeps_the_declared_order_and_names_its_axes():
    figure = matrix()
    assert tuple(figure.data[0].x) == COLUMNS
    assert [tick.split("<br>")[0] for tick in figure.layout.yaxis.ticktext] == list(ROWS)
    assert (figure.layout.yaxis.title.text, figure.layout.xaxis.title.text) == ("intended", "perceived")
    assert (figure.data[0].zmin, figure.data[0].zmax) == (0, 1)


def test_matrix_annotates_percentages_or_counts_and_leaves_empty_rows_blank():
    assert (
        list(matrix().data[1].text) == ["80%", "0", "10%", "10%", "0", "0", "100%", "0", "0", "0"] + [""] * 5
    )
    assert list(matrix(show="counts").data[1].text)[:5] == ["8", "0", "1", "1", "0"]
    assert "n = 0" in matrix().layout.yaxis.ticktext[2]


def test_matrix_outlines_hits_only_where_the_label_exists_on_both_sides():
    boxes = [((s.x0 + s.x1) / 2, (s.y0 + s.y1) / 2) for s in matrix().layout.shapes]
    assert boxes == [(0, 0), (1, 1), (3, 2)]


def test_answers_per_stimulus_count_the_empty_stimuli_too():
    figure = charts.filled({"one": [0, 0, 3, 5, 5, 5], "two": [1] * 6}, wanted=20)
    bar, other = figure.data
    assert dict(zip(bar.x, bar.y, strict=True)) == {0: 2, 3: 1, 5: 3}
    assert (bar.name, other.name, figure.layout.showlegend) == ("one", "two", True)
    assert bar.marker.color != other.marker.color


def test_a_single_task_set_needs_no_legend_and_none_is_no_error():
    assert not charts.filled({"all": [1, 2]}, wanted=3).layout.showlegend
    assert not charts.filled({}, wanted=3).data
    assert len(charts.steps(7, dark=True)) == 7


def test_forest_plot_draws_each_interval_around_its_estimate():
    trace = charts.reliability([charts.Interval("emotion", 0.6, 0.5, 0.65, "48 stimuli")]).data[0]
    assert trace.error_x.array[0] == pytest.approx(0.05)
    assert trace.error_x.arrayminus[0] == pytest.approx(0.1)


POINTS = [
    charts.FacePoint(0.1, 0.2, "happy", "/api/stimuli/aa", "id1"),
    charts.FacePoint(0.5, 0.7, "sad", "/api/stimuli/bb", "id2"),
]


def test_points_carry_the_picture_that_hovering_shows():
    figure = charts.against(POINTS, titles=("people", "model"), ranges=((0, 1), (0, 1)), same_units=True)
    assert [trace.customdata[0][0] for trace in figure.data] == ["/api/stimuli/aa", "/api/stimuli/bb"]
    assert {trace.hoverinfo for trace in figure.data} == {"none"}


def test_line_of_equality_only_where_units_are_the_same():
    drawn = {
        same: len(
            charts.against(POINTS, titles=("a", "b"), ranges=((0, 1), (0, 1)), same_units=same).layout.shapes
        )
        for same in (True, False)
    }
    assert drawn == {True: 1, False: 0}


@pytest.mark.parametrize("dark", [False, True])
def test_noughts_are_dim_but_keep_the_contrast_that_wcag_asks_of_small_text(dark):
    ink = charts._ink_of(0, 0.0, dark=dark)
    dimmer, brighter = sorted(map(charts._luminance, (charts.proportions_scale(dark=dark)[0][1], ink)))
    assert 4.5 <= (brighter + 0.05) / (dimmer + 0.05) < 8
