"""Corrections of residual limbs in 3D: replayed on a fit, drawn live, and checked. No project, no window.

Records: `domain/corrections.py` (operations), `domain/correcting.py` (edits: `correct`, `drop_operation`,
`clear_corrections`, `move_label_too`). Everything is computed in the rest pose, metres, and carried to the
posed body; the faces are the same in both. The front:

    replay.apply(person, fit, body, corrections) -> Corrected
        vertices (posed, camera), tpose, faces, residual, parts, stumps, warnings;
        limbs: {Limb: LimbSurface}; outcomes: {Limb: (Outcome(ok, reason), ...)}; is_edited
        failures: (Failure(limb, number, operation, reason, .words), ...): what this fit could not take
        resting: corrections made while the limb ended in another segment; they come back with that level
    replay.preview_cut(person, fit, body, corrections) -> Corrected
        end, plane and height of the dome only, not refined: for dragging handles

    LimbSurface (limb_surface.py): one residual limb, edges <= 4 mm
        frame, points (n, 3) rest, faces (m, 3) local ids, vertex_ids (n,), face_ids (m,) in the whole mesh
        .point_of(vertex) -> SurfacePoint;  .locate(SurfacePoint) -> position;  .at_rest(face, position_posed)
        .posed(points) -> (n, 3) camera frame

    edited.edited_fit(person, fit, body, corrections) -> EditedFit | None: mesh and numbers as they leave the program

    brushes.BrushSession(surface, brush, radius=, strength=)
        .step(SurfacePoint) -> Changed(ids, points, posed, normals, flipped)     live, topology fixed
        .finish() -> BrushStroke, to be given to `domain.correcting.correct`;  .surface: with the stroke
    validity.folded_where(before, after, changed_faces) -> str        "" or "at about 62 mm from the end"
    validity.validity_facts(corrected, limb, mask=, camera=) -> ValidityFacts
    self_intersection.local_intersections(points, faces, changed) -> (N, 2) face ids; exact

    handles.end_at(surface_frame, point_rest) -> EndAlongLimb;  handles.plane_through(...) -> CutPlane
"""
