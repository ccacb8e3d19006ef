class Cachex < Formula
  desc "@DESCRIPTION@"
  homepage "@REPOSITORY@"
  version "@VERSION@"
  license any_of: ["MIT", "Apache-2.0"]

  on_macos do
    on_arm do
      url "@REPOSITORY@/releases/download/v@VERSION@/cachex-@VERSION@-aarch64-apple-darwin.tar.gz"
      sha256 "@MACOS_ARM@"
    end
    on_intel do
      url "@REPOSITORY@/releases/download/v@VERSION@/cachex-@VERSION@-x86_64-apple-darwin.tar.gz"
      sha256 "@MACOS_INTEL@"
    end
  end

  on_linux do
    on_arm do
      url "@REPOSITORY@/releases/download/v@VERSION@/cachex-@VERSION@-aarch64-unknown-linux-gnu.tar.gz"
      sha256 "@LINUX_ARM@"
    end
    on_intel do
      url "@REPOSITORY@/releases/download/v@VERSION@/cachex-@VERSION@-x86_64-unknown-linux-gnu.tar.gz"
      sha256 "@LINUX_INTEL@"
    end
  end

  def install
    bin.install "bin/cachex"
    man.install Dir["share/man/*"]
    bash_completion.install "share/bash-completion/completions/cachex"
    fish_completion.install "share/fish/vendor_completions.d/cachex.fish"
    zsh_completion.install "share/zsh/site-functions/_cachex"
    doc.install Dir["share/doc/cachex/*"]
  end

  test do
    ENV["CACHEX_DIR"] = testpath/"store"
    2.times { system bin/"cachex", "run", "--", "sh", "-c", "echo ran >>#{testpath}/runs" }
    assert_equal "ran\n", (testpath/"runs").read
  end
end
