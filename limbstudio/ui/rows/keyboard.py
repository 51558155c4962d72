"""The actions of those who use no mouse: steps of the arrows, selecting, pressing, zoom and numbers in 3D."""

from limbstudio.ui.action_row import ActionRow, Owner, Where

_K, _CANVAS, _MESH = Owner.KEYBOARD, Where.CANVAS, Where.MESH

# fmt: off
ROWS: tuple[ActionRow, ...] = (
    ActionRow("longer_steps", "Arrow keys: longer steps", "ph.arrows-out-line-horizontal", "longer_steps",
              "Person/Crosshair by keys", (".",), _K, _CANVAS, group=1, needs="photo",
              synonyms="crosshair speed faster pixels"),
    ActionRow("shorter_steps", "Arrow keys: shorter steps", "ph.arrows-in-line-horizontal", "shorter_steps",
              "Person/Crosshair by keys", (",",), _K, _CANVAS, group=1, needs="photo",
              synonyms="crosshair speed slower pixels"),
    ActionRow("press_here", "Press at the crosshair, or let go", "ph.hand-pointing", "press_here",
              "Person/Crosshair by keys", (), _K, _CANVAS, group=1, needs="photo",
              synonyms="space button click corner brush down up box"),
    ActionRow("select_chain", "Select this point and what hangs on it", "ph.link-simple", "select_chain",
              "Edit", ("J",), _K, _CANVAS, group=2, needs="point", synonyms="chain distal limb joint"),
    ActionRow("select_next_too", "Select the next point too", "ph.selection-plus", "select_next_too", "Edit",
              ("Shift+J",), _K, _CANVAS, group=2, needs="person", synonyms="add extend several points"),
    ActionRow("resize_panels", "Resize panels", "ph.arrows-out-line-horizontal", "begin", "View/Panels",
              ("Ctrl+Alt+P",), Owner.RESIZING, group=3, needs="project",
              synonyms="splitter width wider narrower inset corner move"),
    ActionRow("nearer", "Nearer", "ph.magnifying-glass-plus", "nearer", "Limb/View", ("+", "="), _K, _MESH, group=3,
              needs="fit", synonyms="zoom in 3d"),
    ActionRow("farther", "Farther", "ph.magnifying-glass-minus", "farther", "Limb/View", ("-",), _K, _MESH, group=3,
              needs="fit", synonyms="zoom out 3d"),
    ActionRow("view_camera", "View from where the photo was taken", "ph.camera", "look_as_camera", "Limb/View", ("8",),
              _K, _MESH, group=3, needs="residual_limb", synonyms="camera photo"),
    ActionRow("orbit_centre", "Turn about the cursor, or the ring's front", "ph.crosshair", "turn_about_cursor",
              "Limb/View", (".",), _K, _MESH, group=3, needs="residual_limb", synonyms="orbit centre pivot"),
    ActionRow("tool_numbers", "Numbers of the tool", "ph.list-numbers", "show_numbers", "Limb/Without a mouse", ("O",),
              _K, _MESH, group=5, needs="residual_limb", synonyms="type options size strength roundness length tilt"),
    ActionRow("press_on_limb", "Press at the cursor, or let go", "ph.hand-pointing", "press_on_limb",
              "Limb/Without a mouse", (), _K, _MESH, group=5, needs="residual_limb",
              synonyms="space brush stroke begin end tape place"),
    ActionRow("apply_on_limb", "Apply what is shown, or one dab", "ph.check", "apply_on_limb",
              "Limb/Without a mouse", (), _K, _MESH, group=5, needs="residual_limb", synonyms="enter confirm"),
)
# fmt: on
