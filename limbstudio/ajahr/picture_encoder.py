"""What the picture adds to what AJAHR on keypoints makes of a person's points: nearer and farther, shadow and outline.

Ours: the paper's network sees the picture alone, through ViT-H. Here a frozen network of people's features
(`person_features`) sees a crop; what it finds at each point and in each cell of its coarse map are tokens, at which a
few more blocks of AJAHR's decoder look. What they say is added to the vector that the keypoints gave, so that without a
picture nothing is changed.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from limbstudio.ajahr.build import DecoderNumbers, PictureNumbers
from limbstudio.ajahr.decoder import DecoderLayers
from limbstudio.ajahr.person_features import PersonFeatures
from limbstudio.resihmr.lifter import N_POINTS


@dataclass(frozen=True, eq=False)
class PictureNotes:
    """What is noted of the pictures of N people. cells: (N, cells, C) of the coarse map. at_points: (N, 21, D), of the
    fine map where COCO's points and the residual ends lie. there: (N, 21), 1 for a point that lies in the crop."""

    cells: Tensor
    at_points: Tensor
    there: Tensor

    def __getitem__(self, rows: Tensor) -> "PictureNotes":
        """Return the notes of some people, in single precision."""
        return PictureNotes(*(part[rows].float() for part in (self.cells, self.at_points, self.there)))

    def to(self, device: torch.device | str) -> "PictureNotes":
        """Return them on a device."""
        return PictureNotes(*(part.to(device) for part in (self.cells, self.at_points, self.there)))


class PictureEncoder(nn.Module):
    """Crops around people, and where their points lie, to what is added to the decoder's vectors."""

    def __init__(self, numbers: PictureNumbers, decoder: DecoderNumbers) -> None:
        super().__init__()
        self.numbers = numbers
        self.features = PersonFeatures(numbers.features)
        token = decoder.context_width
        self.cells = nn.Linear(numbers.features.stages[-1][-1].width, token)
        self.points = nn.Linear(numbers.features.fine, token)
        self.cell_places = nn.Parameter(0.02 * torch.randn(numbers.cells**2, token))
        self.point_names = nn.Parameter(0.02 * torch.randn(N_POINTS, token))
        self.layers = DecoderLayers(decoder)
        self.norm = nn.LayerNorm(decoder.width)
        self.last = nn.Linear(decoder.width, decoder.width)
        nn.init.zeros_(self.last.weight)  # at first it adds nothing
        nn.init.zeros_(self.last.bias)

    def notes(self, crops: Tensor, places: Tensor) -> PictureNotes:
        """Look at crops (N, 3, S, S), as `limb_crop.as_input` tells them.

        places: (N, 21, 3), of the points in pixels of the crop, and whether they are known, above 0.
        """
        fine, coarse = self.features(crops)
        within = (2 * places[..., :2] + 1) / crops.shape[-1] - 1
        there = (places[..., 2] > 0) & (within.abs() < 1).all(-1)
        found = nn.functional.grid_sample(fine, within[:, None], align_corners=False)[:, :, 0].transpose(1, 2)
        return PictureNotes(
            coarse.flatten(2).transpose(1, 2), found * there[..., None], there.to(found.dtype)
        )

    def forward(self, vector: Tensor, notes: PictureNotes) -> Tensor:
        """Return what is added to vectors (N, width) of the people that notes are of."""
        at_points = (self.points(notes.at_points) + self.point_names) * notes.there[..., None]
        tokens = torch.cat([self.cells(notes.cells) + self.cell_places, at_points], 1)
        looked = self.layers(vector[:, None], tokens)[:, 0]
        return self.last(torch.relu(self.norm(looked)))
