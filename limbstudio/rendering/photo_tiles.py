"""What of a photo is on the screen: a pyramid of smaller copies, the part in view, and its brightness.

Only what is seen is computed: a tile of the view's size, taken from the copy that is just larger. Positions in a photo
are pixels, (0, 0) the centre of the top-left pixel; in a tile the same.
"""

from dataclasses import dataclass, replace

import numpy as np

_SMALLEST_SIDE = 256
_CONVERTED_PIXELS = (
    32_000_000  # larger photos are converted by the piece: four bytes a pixel would be too many
)
_NEAREST_FROM = 3.0  # screen px per photo px: beyond that single pixels are what one wants to see


@dataclass(frozen=True)
class Adjustment:
    """How a photo is shown, never how it is kept. brightness, contrast: -100 to 100; gamma: 0.2 to 5."""

    brightness: int = 0
    contrast: int = 0
    gamma: float = 1.0
    grey: bool = False

    @property
    def changes_tones(self) -> bool:
        return (self.brightness, self.contrast, self.gamma) != (0, 0, 1.0)

    def changed(self, *, brightness: int = 0, contrast: int = 0, gamma: float = 1.0) -> "Adjustment":
        """Return this adjustment with something added to brightness and contrast and gamma multiplied."""
        return replace(
            self,
            brightness=min(max(self.brightness + brightness, -100), 100),
            contrast=min(max(self.contrast + contrast, -100), 100),
            gamma=min(max(round(self.gamma * gamma, 2), 0.2), 5.0),
        )

    def table(self) -> np.ndarray:
        """Return what each of the 256 tones becomes, (256,) uint8: gamma, then contrast about grey, brightness."""
        tones = (np.arange(256) / 255.0) ** (1.0 / self.gamma)
        slope = (259 * (self.contrast * 1.27 + 255)) / (255 * (259 - self.contrast * 1.27))
        tones = (tones - 0.5) * slope + 0.5 + self.brightness / 200.0
        return np.clip(tones * 255 + 0.5, 0, 255).astype(np.uint8)

    def of(self, tile: np.ndarray) -> np.ndarray:
        """Return (H, W, 4) uint8 BGRA pixels as they are to be shown."""
        import cv2

        if self.grey:
            tile = cv2.cvtColor(cv2.cvtColor(tile, cv2.COLOR_BGRA2GRAY), cv2.COLOR_GRAY2BGRA)
        return cv2.LUT(tile, self.table()) if self.changes_tones else tile


class PhotoPyramid:
    """A photo, (H, W, 3) uint8 RGB, and halved copies of it; large ones are made when they are needed first."""

    def __init__(self, pixels: np.ndarray) -> None:
        self._pixels = np.ascontiguousarray(pixels)
        self._levels: dict[int, np.ndarray] = {}
        height, width = pixels.shape[:2]
        self.size = (width, height)
        self._last = 0
        while min(width, height) >> (self._last + 1) >= _SMALLEST_SIDE:
            self._last += 1

    def prepare(self) -> "PhotoPyramid":
        """Make the smaller copies now; call it in a thread."""
        self.level(self._last)
        return self

    @property
    def bytes(self) -> int:
        """Return how much memory the photo and its copies take."""
        return self._pixels.nbytes + sum(
            level.nbytes for level in self._levels.values() if level is not self._pixels
        )

    def spare(self) -> None:
        """Let go of the full-size copy that a close look made; the next close look makes it again."""
        self._levels.pop(0, None)

    def level(self, number: int) -> np.ndarray:
        """Return copy `number`, 1/2**number as wide and high, uint8 BGRA; the photo itself may be RGB."""
        import cv2

        made = self._levels.get(number)
        if made is None:
            if number == 0:
                made = self._pixels
                if made.shape[0] * made.shape[1] <= _CONVERTED_PIXELS:
                    made = cv2.cvtColor(made, cv2.COLOR_RGB2BGRA)
            else:
                # From the RGB pixels and not from copy 0: a photo seen whole needs no full copy in BGRA.
                below = self._pixels if number == 1 else self.level(number - 1)
                height, width = below.shape[0] // 2, below.shape[1] // 2
                even = below[: 2 * height, : 2 * width]
                made = cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA)
                if number == 1:
                    made = cv2.cvtColor(made, cv2.COLOR_RGB2BGRA)
            self._levels[number] = made
        return made

    def tile(self, photo_from_tile: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Return what a view shows, (H, W, 4) uint8 BGRA; beyond the photo its edge is repeated.

        photo_from_tile: (2, 3), takes a position in the tile to one in the photo. size: of the tile, width and height.
        """
        import cv2

        scale = float(np.hypot(photo_from_tile[0, 0], photo_from_tile[1, 0]))  # photo px per tile px
        number = min(max(int(np.floor(np.log2(max(scale, 1.0)) + 1e-6)), 0), self._last)
        level = self.level(number)
        source_from_tile = photo_from_tile.astype(np.float64)
        source_from_tile[:, 2] += 0.5
        source_from_tile /= 2**number
        source_from_tile[:, 2] -= 0.5
        if level.shape[2] == 3:
            level, source_from_tile = _piece(level, source_from_tile, size)
        smooth = scale > 1.0 / _NEAREST_FROM
        return cv2.warpAffine(
            level,
            source_from_tile,
            size,
            flags=(cv2.INTER_LINEAR if smooth else cv2.INTER_NEAREST) | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )


def _piece(
    pixels: np.ndarray, source_from_tile: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the piece of (H, W, 3) RGB pixels that a tile shows, as BGRA, and the map into it."""
    import cv2

    width, height = size
    corners = np.array([(0, 0, 1), (width, 0, 1), (0, height, 1), (width, height, 1)]) @ source_from_tile.T
    low = np.clip(np.floor(corners.min(0)).astype(int) - 2, 0, None)
    high = np.ceil(corners.max(0)).astype(int) + 3
    x, y = min(low[0], pixels.shape[1] - 1), min(low[1], pixels.shape[0] - 1)
    piece = pixels[y : max(high[1], y + 1), x : max(high[0], x + 1)]
    moved = source_from_tile.copy()
    moved[:, 2] -= (x, y)
    return cv2.cvtColor(piece, cv2.COLOR_RGB2BGRA), moved


class ViewTile:
    """The tile of a view, kept: panning by whole pixels computes only the strips that come into view."""

    def __init__(self) -> None:
        self._photo: PhotoPyramid | None = None
        self._map = np.zeros((2, 3))
        self._raw = np.zeros((0, 0, 4), np.uint8)
        self._shown = self._raw
        self._adjustment = Adjustment()

    def of(
        self,
        photo: PhotoPyramid,
        photo_from_tile: np.ndarray,
        size: tuple[int, int],
        adjustment: Adjustment,
    ) -> np.ndarray:
        """Return what the view shows, (H, W, 4) uint8 BGRA. It is not changed afterwards."""
        shift = self._shift(photo, photo_from_tile, size)
        if shift is None:
            self._raw = photo.tile(photo_from_tile, size)
            self._shown = adjustment.of(self._raw)
        elif shift != (0, 0):
            strips = _strips(shift, size)
            self._raw, plain = _moved(self._raw, shift), self._raw is self._shown
            same = adjustment == self._adjustment
            if not plain:
                self._shown = _moved(self._shown, shift)
            for x, y, width, height in strips:
                corner = photo_from_tile.copy()
                corner[:, 2] = photo_from_tile @ (x, y, 1.0)
                strip = photo.tile(corner, (width, height))
                self._raw[y : y + height, x : x + width] = strip
                if not plain:
                    self._shown[y : y + height, x : x + width] = adjustment.of(strip)
            if plain or not same:
                self._shown = adjustment.of(self._raw)
        elif adjustment != self._adjustment:
            self._shown = adjustment.of(self._raw)
        self._photo, self._map, self._adjustment = photo, photo_from_tile.copy(), adjustment
        return self._shown

    def _shift(
        self, photo: PhotoPyramid, photo_from_tile: np.ndarray, size: tuple[int, int]
    ) -> tuple[int, int] | None:
        """Return by how many px what was shown has moved, or None when all of it is new."""
        width, height = size
        if photo is not self._photo or self._raw.shape[:2] != (height, width):
            return None
        turn = photo_from_tile[:, :2]
        if not np.allclose(turn, self._map[:, :2], rtol=1e-9, atol=1e-12):
            return None
        exact = np.linalg.solve(turn, self._map[:, 2] - photo_from_tile[:, 2])
        whole = np.rint(exact)
        if np.abs(exact - whole).max() > 1e-3 or abs(whole[0]) >= width or abs(whole[1]) >= height:
            return None
        return int(whole[0]), int(whole[1])


def _moved(tile: np.ndarray, shift: tuple[int, int]) -> np.ndarray:
    """Return a new tile in which everything lies `shift` px further right and down; what comes in is not set."""
    dx, dy = shift
    height, width = tile.shape[:2]
    made = np.empty_like(tile)
    to_y, from_y = slice(max(dy, 0), height + min(dy, 0)), slice(max(-dy, 0), height - max(dy, 0))
    to_x, from_x = slice(max(dx, 0), width + min(dx, 0)), slice(max(-dx, 0), width - max(dx, 0))
    made[to_y, to_x] = tile[from_y, from_x]
    return made


def _strips(shift: tuple[int, int], size: tuple[int, int]) -> list[tuple[int, int, int, int]]:
    """Return the parts of a moved tile that came into view: x, y, width, height."""
    (dx, dy), (width, height) = shift, size
    strips = []
    if dy:
        strips.append((0, 0 if dy > 0 else height + dy, width, abs(dy)))
    if dx:
        strips.append((0 if dx > 0 else width + dx, max(dy, 0), abs(dx), height - abs(dy)))
    return strips
