"""MiniFASNet's networks against the implementation that deepface carries, with the authors' weights."""

from pathlib import Path

import pytest
import torch
from deepface.models.spoofing.pytorch import FasNetBackbone

from core.errors import ModelError
from core.vision import weights
from core.vision.networks import minifasnet

THEIRS = {"minifasnet-v2": FasNetBackbone.MiniFASNetV2, "minifasnet-v1se": FasNetBackbone.MiniFASNetV1SE}
WIDTHS = {"minifasnet-v2": minifasnet.V2, "minifasnet-v1se": minifasnet.V1SE}


@pytest.mark.parametrize("name", THEIRS)
def test_the_authors_weights_give_the_logits_of_deepfaces_network(name: str, folders: list[Path]) -> None:
    path = weights.need(name, folders)
    theirs = THEIRS[name](conv6_kernel=(5, 5))
    state = torch.load(path, map_location="cpu", weights_only=True)
    theirs.load_state_dict({key.removeprefix("module."): value for key, value in state.items()})
    faces = torch.rand(4, 3, 80, 80, generator=torch.Generator().manual_seed(5)) * 255
    with torch.inference_mode():
        expected = theirs.eval()(faces)
        found = minifasnet.load(path, WIDTHS[name])(faces)
    assert expected.std() > 1  # not a constant network
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


def test_weights_of_the_other_network_and_damaged_files_are_refused(
    folders: list[Path], tmp_path: Path
) -> None:
    path = weights.need("minifasnet-v2", folders)
    with pytest.raises(ModelError, match="is not MiniFASNet as its authors saved it"):
        minifasnet.load(path, minifasnet.V1SE)
    cut = tmp_path / "cut.pth"
    cut.write_bytes(path.read_bytes()[:50_000])
    with pytest.raises(ModelError, match=r"cut\.pth is not MiniFASNet"):
        minifasnet.load(cut, minifasnet.V2)
    state = torch.load(path, map_location="cpu", weights_only=True)
    torch.save(state | {"module.extra": torch.zeros(1)}, cut)
    with pytest.raises(ModelError, match="extra"):
        minifasnet.load(cut, minifasnet.V2)
