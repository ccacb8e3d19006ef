# `nix run` and `nix profile install` for cachex, and a shell to work on it in. The version
# is Cargo.toml's.
{
  description = "cachex puts a cache in front of any command";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixpkgs-unstable";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;
      systems = [
        "x86_64-linux"
        "aarch64-linux"
        "x86_64-darwin"
        "aarch64-darwin"
      ];
      forEach = make: lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});
      manifest = (lib.importTOML ./Cargo.toml).package;
    in
    {
      packages = forEach (pkgs: {
        default = pkgs.rustPlatform.buildRustPackage {
          pname = manifest.name;
          inherit (manifest) version;
          src = self;
          cargoLock.lockFile = ./Cargo.lock;
          # The binary is linked statically (.cargo/config.toml).
          buildInputs = lib.optionals pkgs.stdenv.hostPlatform.isLinux [ pkgs.glibc.static ];
          nativeBuildInputs = [ pkgs.installShellFiles ];
          # The tests start servers, take terminals and make namespaces: tests/run does that.
          doCheck = false;
          postInstall = ''
            installManPage man/*
            installShellCompletion --cmd cachex \
              --bash completions/cachex.bash \
              --fish completions/cachex.fish \
              --zsh completions/_cachex
          '';
          doInstallCheck = true;
          installCheckPhase = ''
            export CACHEX_DIR=$TMPDIR/store
            for call in 1 2; do $out/bin/cachex run -- sh -c 'echo ran >>$TMPDIR/runs'; done
            test "$(cat $TMPDIR/runs)" = ran
          '';
          meta = {
            inherit (manifest) description;
            license = with lib.licenses; [
              mit
              asl20
            ];
            mainProgram = manifest.name;
            platforms = systems;
          };
        };
      });

      devShells = forEach (pkgs: {
        default = pkgs.mkShell {
          inputsFrom = [ self.packages.${pkgs.stdenv.hostPlatform.system}.default ];
          packages = [
            pkgs.clippy
            pkgs.rustfmt
          ];
        };
      });
    };
}
