"""Body models: the bundled body, a user's SMPL, SMPL-H or SMPL-X file, their kinematics, parts and
keypoints."""
